#!/usr/bin/python3
"""The rules of the house, as far as a machine can read them. Prints file:line: complaint, one a line.

usage: lint.py [ROOT]
"""
import re
import subprocess
import sys
from pathlib import Path

FILE_LINES, FUNCTION_LINES, COLUMNS, SHELL_LINES, README_LINES = 800, 80, 100, 100, 40
TAB = 8


class Floors:
    """services/FLOORS: folder, floor, third-party headers owned."""

    def __init__(self, path):
        self.floor, self.owner = {}, []
        for line in path.read_text().splitlines():
            words = line.split("#")[0].split()
            if words:
                self.floor[words[0]] = int(words[1])
                self.owner += [(pattern, words[0]) for pattern in words[2:]]

    def folder_of(self, path):
        """The longest listed folder that holds `path`, which is relative to services/."""
        parts = Path(path).parts
        for n in range(len(parts) - 1, 0, -1):
            if "/".join(parts[:n]) in self.floor:
                return "/".join(parts[:n])
        return None

    def owner_of(self, header):
        for pattern, folder in self.owner:
            if header == pattern or (pattern.endswith("/*") and header.startswith(pattern[:-1])):
                return folder
        return None


class Lint:
    def __init__(self, root):
        self.root = root
        self.floors = Floors(root / "services/FLOORS")
        self.complaints = 0

    def complain(self, path, line, text):
        self.complaints += 1
        print(f"{path.relative_to(self.root)}:{line}: {text}")

    def tracked(self, *patterns):
        listed = subprocess.run(["git", "-C", self.root, "ls-files", "-co", "--exclude-standard", "--", *patterns],
                                capture_output=True, text=True, check=True).stdout.split("\n")
        return [self.root / name for name in sorted(listed) if name and (self.root / name).is_file()]

    def run(self):
        c_files = self.tracked("services/*.[ch]", "tests/*.[ch]")
        for path in c_files:
            self.check_c(path, path.read_text().split("\n"))
        for path in self.tracked("*.sh", "*/build", ".ci/run", "rootfs/*", "services/s6/*"):
            self.check_shell(path)
        self.check_folders(c_files)
        self.check_layout(c_files)
        return self.complaints

    def check_c(self, path, lines):
        if len(lines) - 1 > FILE_LINES and not re.search(r"long because", "\n".join(lines[:30])):
            self.complain(path, 1, f"{len(lines) - 1} lines, more than {FILE_LINES}")
        for number, line in enumerate(lines, 1):
            if len(line.expandtabs(TAB)) > COLUMNS:
                self.complain(path, number, f"wider than {COLUMNS} columns")
            if re.match(r"\s*#\s*(if|ifdef|ifndef|elif)\b", line) and path.name != "compiler.h":
                self.complain(path, number, "conditional compilation outside compiler.h")
            if re.match(r"\s*typedef\b", line) and not re.search(r"\(\s*\*?\s*\w+\s*\)\s*\(|\btypedef\s+\w[\w\s*]*\(|\} str;", line) \
                    and not re.match(r"typedef struct \{$", line):
                self.complain(path, number, "typedef of something other than a function type")
            if m := re.match(r'\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', line):
                self.check_include(path, number, m[1], m[2])
        self.check_functions(path, lines)

    def check_include(self, path, number, ours, theirs):
        try:
            own = self.floors.folder_of(path.relative_to(self.root / "services"))
        except ValueError:
            return
        if own is None:
            self.complain(path, number, "the folder is not in services/FLOORS")
        elif theirs:
            owner = self.floors.owner_of(theirs)
            if owner and owner != own:
                self.complain(path, number, f"<{theirs}> belongs to {owner}")
        elif not ours.startswith("api/"):
            other = self.floors.folder_of(ours)
            if other is None:
                self.complain(path, number, f'"{ours}" is not a path below services/ of a listed folder')
            elif other != own and self.floors.floor[other] >= self.floors.floor[own]:
                self.complain(path, number, f"{own} may not include {other}: same floor or higher")
            elif self.program(other) not in ("lib", self.program(own)) and own not in ("tools", "coracle"):
                self.complain(path, number, f"{own} may not include {other}: another program's")
        elif self.floors.floor[own] < self.floors.floor["lib/api"]:
            self.complain(path, number, f"{own} may not include generated types of lib/api")

    @staticmethod
    def program(folder):
        return folder.split("/")[0]

    def check_functions(self, path, lines):
        start = None
        for number, line in enumerate(lines, 1):
            if line.startswith("{"):
                start = number
            elif line.startswith("}") and start:
                if number - start - 1 > FUNCTION_LINES and line.rstrip() == "}":
                    self.complain(path, start, f"function of {number - start - 1} lines, more than {FUNCTION_LINES}")
                start = None

    def check_shell(self, path):
        try:
            lines = path.read_text().split("\n")
        except UnicodeDecodeError:
            return
        if re.match(r"#!\s*/\S*\b(ba|da)?sh\b", lines[0]) and len(lines) - 1 > SHELL_LINES:
            self.complain(path, 1, f"shell script of {len(lines) - 1} lines, more than {SHELL_LINES}")

    def check_folders(self, c_files):
        counts = {}
        for path in c_files:
            if path.suffix == ".c" and not path.name.endswith("_test.c") and not path.name.startswith("fuzz_"):
                counts[path.parent] = counts.get(path.parent, 0) + 1
        for folder, count in counts.items():
            readme = folder / "README.md"
            if count >= 4 and not readme.exists():
                self.complain(folder, 1, f"{count} sources and no README.md")
            elif readme.exists() and len(readme.read_text().splitlines()) > README_LINES:
                self.complain(readme, 1, f"more than {README_LINES} lines")

    def check_layout(self, c_files):
        done = subprocess.run(["clang-format", "--dry-run", "-Werror", *map(str, c_files)], capture_output=True,
                              text=True, cwd=self.root)
        places = re.findall(r"^(.*?):(\d+):\d+: error: code should be clang-formatted", done.stderr, re.M)
        for name in sorted({name for name, _ in places}):
            first = next(line for other, line in places if other == name)
            self.complain(Path(name), first, "not laid out as .clang-format says; run make format")


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent.parent).resolve()
    complaints = Lint(root).run()
    if complaints:
        print(f"{complaints} complaints")
    return complaints > 0


if __name__ == "__main__":
    sys.exit(main())
