"""GRUB as boot loader of the ISO and of the installed disk: core images with just the modules that they use, menus.

The menus are the same but for where kernel and initrd lie. A disk's menu picks one of two slots by the environment
block beside it: `trial`, if it is set, for this one start only, else `slot`; so that a new system which does not come
up is followed by the old one.
"""
from pathlib import Path

import archives

MODULES = Path("/usr/lib/grub")
COMMON = ("echo", "fat", "halt", "iso9660", "linux", "loadenv", "normal", "part_gpt", "part_msdos", "reboot", "regexp",
          "search_fs_file", "serial", "test")
BY_FORMAT = {"i386-pc": ("biosdisk",), "i386-pc-eltorito": ("biosdisk",), "x86_64-efi": ("efi_gop",)}
CMDLINE = "console=tty0 console=ttyS0,115200 quiet"
ROLES = (("as configured (master + node if nothing says otherwise)", ""), ("master + node", "coracle.role=master,node"),
         ("master", "coracle.role=master"), ("node", "coracle.role=node"))
ENVIRONMENT_BYTES = 1024
FIND_ISO = """search.file /build-{identity} root
set prefix=($root)/boot/grub
"""
PICK_SLOT = """regexp --set=1:disk '^\\(([^,)]*)' "$prefix"
load_env --file "$prefix/grubenv" slot trial
if [ "$trial" = A -o "$trial" = B ]; then
	set slot=$trial
	set trial=
	save_env --file "$prefix/grubenv" trial
fi
if [ "$slot" = B ]; then set root=$disk,gpt4; else set root=$disk,gpt3; fi
"""


def core(kind, prefix, config, to):
    """A core image; `config` runs before the menu."""
    argv = ["grub-mkimage", "-O", kind, "-d", MODULES / kind.removesuffix("-eltorito"), "-p", prefix, "-o", to]
    if config:
        script = to.with_name(to.name + ".cfg")
        script.write_text(config)
        argv += ["-c", script]
    archives.run([*argv, *sorted(COMMON + BY_FORMAT[kind])])
    return to.read_bytes()


def menu(version, first=""):
    """grub.cfg; a serial port shows the menu too where there is one."""
    lines = [first, "if serial --unit=0 --speed=115200; then", "\tterminal_input console serial",
             "\tterminal_output console serial", "fi", "set timeout=3", "set default=0"]
    for title, role in ROLES:
        lines += [f'menuentry "Coracle {version}: {title}" {{', f"\tlinux /vmlinuz {CMDLINE} {role}".rstrip(),
                  "\tinitrd /initrd", "}"]
    lines += ['menuentry "Turn off" {', "\thalt", "}", ""]
    return "\n".join(lines).lstrip("\n")


def environment(**variables):
    """GRUB's environment block."""
    text = "# GRUB Environment Block\n" + "".join(f"{key}={value}\n" for key, value in variables.items())
    return text.encode().ljust(ENVIRONMENT_BYTES, b"#")
