"""Properties of the source itself: what the code must not say, and how long it may go on.

Each complaint names the replacement. The rules are tried on samples first, so that a rule that finds
nothing is known to work.
"""

import ast
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent
LINE_LENGTH_MAX: Final = 110
FILE_LINES_MAX: Final = 400
FUNCTION_LINES_MAX: Final = 60

CORE: Final = ("domain", "ports", "pipeline", "executors", "sources")
CLOCK: Final = "take `now` as a parameter; only ports.Clock knows the time"
CHANCE: Final = "derive it from what is known (domain.ids), or take a seed as a parameter"
ENVIRONMENT: Final = "add a variable to betteroms/settings.py and take its value as a parameter"
BANNED_IN_CORE: Final[Mapping[str, str]] = {
    r"(datetime\.)*datetime\.(now|utcnow|today)": CLOCK,
    r"(datetime\.)*date\.today": CLOCK,
    r"time\.(time|time_ns|monotonic|perf_counter|sleep)": CLOCK,
    r"uuid\.uuid[14]": CHANCE,
    r"(random|secrets)\.\w+": CHANCE,
    r"os\.urandom": CHANCE,
    r"float": "count in millionths: domain.money.to_micros reads text, to_text prints",
}
BANNED_EVERYWHERE: Final[Mapping[str, str]] = {
    r"print": "return the text; cli/render.py is what prints",
    r"breakpoint": "take it out",
    r"os\.(environb?|getenvb?|putenv)": ENVIRONMENT,
    r"NotImplementedError": "write it, or leave it out",
}
ALLOWED: Final[Mapping[tuple[str, str], str]] = {
    ("betteroms/settings.py", "os.environ"): "the one reader",
    ("betteroms/adapters/postgres/bundled/cluster.py", "os.environ"): "hands a child what it may inherit",
    ("betteroms/adapters/postgres/backup.py", "os.environ"): "hands a child what it inherits",
}
"""File and name: why it may stand there all the same."""
LONG: Final[Mapping[str, str]] = {}
"""File, or file and function: why it may be longer."""

UNFINISHED: Final = re.compile(rf"\b({'|'.join(('TO' + 'DO', 'FIX' + 'ME', 'X' * 3))})\b")
PRAGMA: Final = re.compile(r"\s*# (noqa|type: ignore)\b.*")
UNCOVERED: Final = re.compile(r"#\s*pragma:\s*no\s+(cover|branch)")
MACHINE_PATH: Final = re.compile(r"(?<![\w.~-])/(ro" + r"ot|(home|Us" + r"ers)/(?!you\b)[a-z][\w.-]*)/")
TOP_LEVEL: Final = {
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "betteroms",
    "docker-compose.yml",
    "docs",
    "migrations",
    "plans",
    "pyproject.toml",
    "schemas",
    "scripts",
    "tests",
}


def tracked() -> list[str]:
    """Every file that is, or is about to be, part of the project."""
    listing = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    command = ["git", "-c", "safe.directory=*", "-C", str(ROOT), *listing]
    try:
        done = subprocess.run(command, capture_output=True, check=True)
        names = [name for name in done.stdout.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        names = []  # no git, or no checkout
    if not names:
        known = [ROOT / name for name in sorted(TOP_LEVEL)]
        inside = (path for top in known for path in (top, *top.rglob("*")))
        names = [str(path.relative_to(ROOT)) for path in inside if "__pycache__" not in path.parts]
    return sorted(name for name in names if (ROOT / name).is_file())


FILES: Final = tracked()
MODULES: Final = [name for name in FILES if name.endswith(".py")]
PACKAGE: Final = [name for name in MODULES if name.startswith("betteroms/")]


def source(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def in_core(name: str) -> bool:
    return any(name.startswith((f"betteroms/{room}/", f"betteroms/{room}.py")) for room in CORE)


def names_used(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Each dotted name in the code, with its line; what was imported by its own name is spelled out."""
    origin = {"print": "print", "float": "float"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            origin |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            origin |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    annotations = {id(part) for hint in _hints(tree) for part in ast.walk(hint)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and id(node) not in annotations:
            head, dot, rest = ast.unparse(node).partition(".")
            if head.isidentifier():
                yield node.lineno, origin.get(head, head) + dot + rest


def _hints(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
            yield node.annotation
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
            yield node.returns


def banned(name: str, text: str) -> list[str]:
    """What this module says and must not, with what to do instead."""
    rules = {**BANNED_EVERYWHERE, **(BANNED_IN_CORE if in_core(name) else {})}
    found = {
        (line, used, instead)
        for line, used in names_used(ast.parse(text))
        for pattern, instead in rules.items()
        if re.fullmatch(pattern, used) and (name, used) not in ALLOWED
    }
    return [f"{name}:{line} {used}: {instead}" for line, used, instead in sorted(found)]


def long_lines(name: str, text: str) -> list[str]:
    """Lines that are too long, as ruff counts: without what is there for a tool."""
    lines = (PRAGMA.sub("", line) for line in text.splitlines())
    return [
        f"{name}:{number} has {len(line)} characters, {LINE_LENGTH_MAX} at most: break it"
        for number, line in enumerate(lines, start=1)
        if len(line) > LINE_LENGTH_MAX
    ]


def too_long(name: str, text: str) -> list[str]:
    lines = text.count("\n")
    found = []
    if lines > FILE_LINES_MAX and name not in LONG:
        found.append(f"{name} has {lines} lines, {FILE_LINES_MAX} at most: a file per noun")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX and f"{name}:{node.name}" not in LONG:
                found.append(
                    f"{name}:{node.lineno} {node.name} has {lines} lines, {FUNCTION_LINES_MAX} at most: "
                    "decisions up, loops down"
                )
    return found


def unopened(name: str, text: str) -> list[str]:
    """A module begins with a sentence that says what it is for."""
    if not text.strip() and name.startswith("tests/"):
        return []
    first = (ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0].rstrip()
    if re.match(r"[\w`*{(]", first) and first.endswith((".", ":", "?", "!")):
        return []
    return [f"{name} does not open with a sentence: say in one what it is for"]


def matches(name: str, text: str, pattern: re.Pattern[str], instead: str) -> list[str]:
    return [
        f"{name}:{number} {found.group()}: {instead}"
        for number, line in enumerate(text.splitlines(), start=1)
        for found in pattern.finditer(line)
    ]


def readable(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        try:
            yield name, source(name)
        except UnicodeDecodeError:
            continue  # no text


def none(complaints: Iterable[str]) -> None:
    """Fail with all of them, each on its line."""
    found = list(complaints)
    assert not found, "\n".join(["", *found])


def test_nothing_banned_is_used() -> None:
    none(complaint for name in PACKAGE for complaint in banned(name, source(name)))


def test_every_exception_is_still_needed() -> None:
    used = {(name, said) for name, _ in ALLOWED for _, said in names_used(ast.parse(source(name)))}
    assert [pair for pair in ALLOWED if pair not in used] == []
    assert all(ALLOWED.values())
    assert all(LONG.values())


def test_lines_are_short_enough() -> None:
    none(complaint for name in MODULES for complaint in long_lines(name, source(name)))


def test_files_and_functions_are_short_enough() -> None:
    none(complaint for name in MODULES for complaint in too_long(name, source(name)))


def test_every_module_opens_with_a_sentence() -> None:
    none(complaint for name in MODULES for complaint in unopened(name, source(name)))


def test_nothing_is_left_unfinished() -> None:
    none(
        complaint
        for name, text in readable(FILES)
        for complaint in matches(name, text, UNFINISHED, "do it now, or open an issue")
    )


def test_no_branch_of_the_core_is_excused_from_its_tests() -> None:
    none(
        complaint
        for name in PACKAGE
        if in_core(name)
        for complaint in matches(name, source(name), UNCOVERED, "test it, or take the branch out")
    )


def test_no_path_of_somebodys_machine_is_left_behind() -> None:
    none(
        complaint
        for name, text in readable(FILES)
        for complaint in matches(name, text, MACHINE_PATH, "write /home/you, or a relative path")
    )


def test_the_top_level_holds_nothing_else() -> None:
    tops = {name.partition("/")[0] for name in FILES}
    assert {top for top in tops if not top.startswith(".")} - TOP_LEVEL == set()


def test_scripts_begin_with_their_interpreter_and_can_be_run() -> None:
    scripts = [name for name in FILES if name.startswith((".ci/", "scripts/"))]
    called = [name for name in scripts if not name.endswith(("/_env", ".py"))]
    assert called
    none(
        f"{name} is no script that can be called: begin with #!/bin/sh, and chmod +x"
        for name in called
        if not source(name).startswith(("#!/bin/sh\n", "#!/usr/bin/env bash\n"))
        or (os.name != "nt" and not os.access(ROOT / name, os.X_OK))
    )


@pytest.mark.parametrize(
    ("line", "used"),
    [
        ("from datetime import datetime\nx = datetime.now()", "datetime.datetime.now"),
        ("import datetime\nx = datetime.datetime.utcnow()", "datetime.datetime.utcnow"),
        ("import datetime as dt\nx = dt.date.today()", "datetime.date.today"),
        ("import time\nx = time.time()", "time.time"),
        ("from time import time as clock\nx = clock()", "time.time"),
        ("from time import sleep\nsleep(1)", "time.sleep"),
        ("import uuid\nx = uuid.uuid4()", "uuid.uuid4"),
        ("from uuid import uuid4\nx = uuid4()", "uuid.uuid4"),
        ("import random\nx = random.choice([1])", "random.choice"),
        ("from random import Random\nx = Random()", "random.Random"),
        ("x = float('1')", "float"),
        ("x = map(float, [])", "float"),
        ("print('x')", "print"),
        ("import os\nx = os.environ['X']", "os.environ"),
        ("import os\nx = os.environ.get('X')", "os.environ"),
        ("from os import getenv\nx = getenv('X')", "os.getenv"),
        ("from os import environ as e\nx = e['X']", "os.environ"),
        ("raise NotImplementedError", "NotImplementedError"),
    ],
)
def test_what_is_banned_in_the_core_is_found_there(line: str, used: str) -> None:
    (complaint,) = banned("betteroms/domain/sample.py", line)
    assert re.match(rf"betteroms/domain/sample\.py:\d+ {re.escape(used)}: \w+", complaint)


@pytest.mark.parametrize(
    "line",
    [
        '"""Never float( and never print( nor datetime.now()."""',
        "x = 'os.environ'  # print(x), time.time()",
        "def pretty_print(time: int) -> int:\n    return time.real",
        "def share(of: float) -> float | None: ...",
        "from datetime import datetime as d, timedelta\ndef at(now: d) -> d:\n    return now + timedelta(1)",
        "x = order.random.price",
        "import uuid\nx = uuid.uuid5(uuid.NAMESPACE_DNS, 'x')",
    ],
)
def test_what_only_looks_like_it_is_not(line: str) -> None:
    assert banned("betteroms/domain/sample.py", line) == []


@pytest.mark.parametrize(
    "name", ["betteroms/cli/sample.py", "betteroms/adapters/sample.py", "betteroms/x.py"]
)
def test_outside_the_core_the_clock_is_free_and_printing_is_not(name: str) -> None:
    assert banned(name, "import time\nx = time.time()") == []
    assert len(banned(name, "import os\nprint(os.environ)")) == 2


@pytest.mark.parametrize("room", ["domain/x", "ports", "pipeline", "executors/live/x", "sources/x"])
def test_the_core_is_these_rooms(room: str) -> None:
    assert in_core(f"betteroms/{room}.py")
    assert not in_core(f"betteroms/adapters/{room}.py")


def test_the_settings_may_read_the_environment() -> None:
    assert banned("betteroms/settings.py", "import os\nx = os.environ") == []
    assert banned("betteroms/settings.py", "import os\nx = os.getenv('X')") != []


def test_a_long_line_is_found() -> None:
    (complaint,) = long_lines("x.py", "\n" + "x" * (LINE_LENGTH_MAX + 1) + "\n" + "x" * LINE_LENGTH_MAX)
    assert complaint == "x.py:2 has 111 characters, 110 at most: break it"


def test_a_long_file_and_a_long_function_are_found() -> None:
    function = "def f() -> None:\n" + "    pass\n" * FUNCTION_LINES_MAX
    assert [each.partition(":")[0] for each in too_long("x.py", "pass\n" * 401)] == [
        "x.py has 401 lines, 400 at most"
    ]
    assert too_long("x.py", "pass\n" * 400) == []
    assert too_long("x.py", function) == ["x.py:1 f has 61 lines, 60 at most: decisions up, loops down"]
    assert too_long("x.py", function.replace("    pass\n", "", 1)) == []


@pytest.mark.parametrize("text", ["", "x = 1", '"""no sentence"""', '""""""', '"""- a list."""', "'x'; 1"])
def test_a_module_without_a_first_sentence_is_found(text: str) -> None:
    assert unopened("betteroms/x.py", text) != []


@pytest.mark.parametrize("text", ['"""A thing."""', '"""`x` is over\ntwo lines.\n\nMore"""'])
def test_a_first_sentence_is_accepted(text: str) -> None:
    assert unopened("betteroms/x.py", text) == []


@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME: later", "# " + "X" * 3])
def test_an_unfinished_word_is_found(word: str) -> None:
    assert matches("x.py", f"x = 1  # {word}", UNFINISHED, "do it now") != []
    assert matches("x.py", f"x = 1  # {word.lower()} x{word}x", UNFINISHED, "do it now") == []


@pytest.mark.parametrize("path", ["ro" + "ot/.venv/x", "home/" + "jane/x", "Us" + "ers/jane/x"])
def test_a_machines_path_is_found(path: str) -> None:
    assert matches("x.md", f"see (/{path})", MACHINE_PATH, "relative") != []
    assert matches("x.md", f"see https://venue.example/{path} and ~/{path}", MACHINE_PATH, "relative") == []


def test_the_readers_own_home_may_be_written() -> None:
    assert matches("x.md", "cd /home/you/betteroms", MACHINE_PATH, "relative") == []
