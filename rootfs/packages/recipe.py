"""Recipes: `NAME/recipe` says what a package is made of, `NAME/build` how. Lines are `key: words`:

source    source package and suite
patches   `debian` (the default: those of the source package's series) or `none`
class     `image` (the default) or `test`
needs     packages that are built first, and found in the sysroot
targets   of host, musl (or `any`: does not depend on the target)
closure   suite, prefixes of the names to keep (comma between them, or *), packages: binary packages
          unpacked for the build; `@build-depends` stands for the source's own
inputs    other files that the build finds in $INPUTS, as patterns relative to the recipes' folder
"""

from dataclasses import dataclass, field
from pathlib import Path

from fail import Fail

HERE = Path(__file__).resolve().parent
KEYS = {"source", "patches", "class", "needs", "targets", "closure", "inputs"}
TARGETS = ("host", "musl", "any")


@dataclass
class Recipe:
    name: str
    source: list
    patches: str = "debian"
    klass: str = "image"
    needs: list = field(default_factory=list)
    targets: list = field(default_factory=list)
    closure: list = field(default_factory=list)
    inputs: list = field(default_factory=list)


@dataclass
class Closure:
    klass: str
    set: str
    suite: str
    prefixes: str
    names: list


def load(name, root=HERE):
    path = root / name / "recipe"
    try:
        text = path.read_text()
    except (FileNotFoundError, NotADirectoryError):
        raise Fail(
            name, "there is no recipe of that name", f"see the folders of {root.name}/"
        ) from None
    words = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        key, colon, value = line.partition(":")
        if not colon or key not in KEYS or key in words:
            raise Fail(
                f"{name}/recipe:{number}", f"cannot read {line!r}", "see recipe.py for the keys"
            )
        words[key] = value.split()
    return _checked(name, words)


def _checked(name, words):
    recipe = Recipe(
        name,
        words.get("source", []),
        (words.get("patches") or ["debian"])[0],
        (words.get("class") or ["image"])[0],
        words.get("needs", []),
        words.get("targets", []),
        words.get("closure", []),
        words.get("inputs", []),
    )
    wrong = None
    if len(recipe.source) not in (0, 2):
        wrong = "`source` takes a source package and a suite"
    elif recipe.patches not in ("debian", "none"):
        wrong = "`patches` is debian or none"
    elif recipe.klass not in ("image", "test"):
        wrong = "`class` is image or test"
    elif not recipe.targets or not set(recipe.targets) <= set(TARGETS):
        wrong = f"`targets` is one or more of {', '.join(TARGETS)}"
    elif len(recipe.closure) in (1, 2):
        wrong = "`closure` takes a suite, prefixes and packages"
    if wrong:
        raise Fail(f"{name}/recipe", wrong, "correct the recipe")
    return recipe


def load_all(root=HERE):
    return [load(path.parent.name, root) for path in sorted(root.glob("*/recipe"))]


def wanted(path):
    """The sets that are no recipe's: `class set suite prefixes package...` a line."""
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        words = line.split()
        if len(words) < 5 or words[0] not in ("image", "test"):
            raise Fail(
                f"{path.name}:{number}",
                f"cannot read {line!r}",
                "write: class set suite prefixes package...",
            )
        found.append(Closure(words[0], words[1], words[2], words[3], words[4:]))
    return found
