"""Which secrets a line holds: the expressions of detect-secrets, and those for what it misses.

It misses keys that came after it, an assignment inside a call, a shell's `export`, a password in a
URL that has punctuation, `curl -u`, `.netrc`, headers, signed URLs, and keys with a pass phrase.
Its guesses by entropy are left out (lock files are full of hashes), and so are its calls to the
services that a key belongs to: nothing leaves the machine.
"""

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.filters import heuristic
from detect_secrets.plugins.base import BasePlugin

LEFT_OUT = {"Base64HighEntropyString", "HexHighEntropyString", "IPPublicDetector"}
GUESSED = {"Secret Keyword", "Basic Auth Credentials"}  # by what stands around it
SHORTEST = 8  # characters of a password that was guessed; what tests call one is shorter

# --- Kinds with a form of their own, as in the rules of gitleaks (config/gitleaks.toml) -----------
FORMS = {
    "GitHub Fine-Grained Token": r"github_pat_\w{82}",
    "Google API Key": r"\bAIza[\w-]{35}",
    "Google OAuth Secret": r"\bGOCSPX-[\w-]{28}",
    "Google Access Token": r"\bya29\.[\w-]{30,}",
    "Hugging Face Token": r"\b(?:hf_|api_org_)[a-zA-Z]{34}\b",
    "Anthropic API Key": r"\bsk-ant-(?:api|admin)\d{2}-[\w-]{80,}",
    "OpenAI API Key": r"\bsk-(?:proj|svcacct|admin)-[\w-]{40,}|\bsk-[a-zA-Z0-9]{48}\b",
    "API Key of a Language Model": r"\b(?:gsk_[a-zA-Z0-9]{50}|xai-[a-zA-Z0-9]{70}"
    r"|pplx-[a-zA-Z0-9]{40}|r8_[a-zA-Z0-9]{37}|nvapi-[\w-]{60})",
    "Databricks Token": r"\bdapi[0-9a-f]{32}(?:-\d)?\b",
    "DigitalOcean Token": r"\bdo[opr]_v1_[0-9a-f]{64}\b",
    "Docker Token": r"\bdckr_[po]at_[\w-]{27}",
    "npm Token": r"\bnpm_[a-zA-Z0-9]{36}\b",
    "Grafana Token": r"\b(?:glsa_[a-zA-Z0-9]{32}_[0-9a-f]{8}|glc_[a-zA-Z0-9+/]{32,})",
    "Vault Token": r"\bhv[sbr]\.[\w-]{24,}",
    "Terraform Token": r"\b[a-zA-Z0-9]{14}\.atlasv1\.[\w-]{60,}",
    "Slack Token": r"\bxapp-\d-[A-Z0-9]+-\d+-[a-z0-9]+|\bxox[cde](?:\.xox[bp])?-[\w-]{20,}",
    "Stripe Key": r"\b(?:[rs]k_(?:test|live|prod)|whsec)_[a-zA-Z0-9]{24,}",
    "Shopify Token": r"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b",
    "Atlassian Token": r"\bAT(?:ATT3|BB)[\w=-]{28,}",
    "Sentry Token": r"\bsntry[su]_[\w+/=]{40,}",
    "Linear, Notion or Figma Token": r"\b(?:lin_api_[a-zA-Z0-9]{40}"
    r"|ntn_[a-zA-Z0-9]{40,}|figd_[\w-]{40})",
    "Postman, New Relic or Doppler Key": r"\b(?:PMAK-[0-9a-f]{24}-[0-9a-f]{34}|NRAK-[A-Z0-9]{27}"
    r"|dp\.(?:pt|st|ct)\.[a-zA-Z0-9.]{40,})",
    "Azure Client Secret": r"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,34}(?![\w~.-])",
    "Signed Storage URL": r"[?&](?:amp;)?sig=[\w%+/=-]{40,}|X-(?:Amz|Goog)-Signature=[0-9a-f]{64,}",
    "Webhook": r"discord(?:app)?\.com/api/webhooks/\d+/[\w-]{60,}"
    r"|\.webhook\.office\.com/webhookb2/[\w@-]{36,}",
    "Private Key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
    r"|PuTTY-User-Key-File-[23]:|AGE-SECRET-KEY-1[A-Z0-9]{58}",
}

# --- Guesses: a name that says so, then a value ---------------------------------------------------
NAME = (
    r"(?:pass(?:word|wort|wd|phrase|code|_?key)|(?<=_)pass\b|\bpass(?=[\"']?\s*[:=])|pwd|kennwort"
    r"|mot_?de_?passe|contrase[nñ]a|secret|token(?!i[sz]|s\b)|credential|api[_-]?key|(?<![a-z])_auth\b"
    r"|(?:access|account|auth|client|encryption|private|service|shared|signing)[_-]?key)[\w-]*"
)
QUOTED = r"""[rbuf]{0,2}(?P<quote>\"{3}|'{3}|["'`])(?P<value>(?:(?!(?P=quote)).){8,}?)(?P=quote)"""
PLAIN = r"""(?P<value>[^\s"'`$<{(\[|&;,#*][^\s"'`;|]{7,})(?=[\s"'`;,|]|$)"""
USER = r"""["'][^"']*["']\s*,\s*"""
GUESSES = {
    "Secret Keyword": [
        NAME + r"""["'\])]{0,3}\s*(?::\s*[\w.\[\]| ]+)?(?::=|=>|={1,3}|:|,|\()\s*""" + QUOTED,
        rf"""{NAME}\s*=\s*{USER}{QUOTED}""",
        rf"""{NAME}["']?\s*,?\s*value["']?\s*[=:]\s*["']?{PLAIN}""",
        NAME + r"""\s+(?:is\s+|was\s+)?(?P<quote>["'`])(?P<value>[^\s"'`]{8,})(?P=quote)""",
        rf"""\bidentified\s+by\s+{QUOTED}""",
        rf"""\becho\s+["']?{PLAIN}["']?\s*\|.*(?:-stdin\b|sudo\s+-S)""",
        f"<{NAME}>" + r"(?P<value>[^<>\s]{8,})</",
        rf"""(?:--|\s-D)(?:[\w.]+-)*{NAME}[ =]["']?{PLAIN}""",
        rf"""\b(?:remote modify|configure set|config set)\b.*\s{NAME}\s+["']?{PLAIN}""",
        r"[?&;][\w.-]*" + NAME + r"""=(?P<value>[^\s"'&;<>{$]{8,})""",
        r"""\b(?:pwd|password)=(?P<value>[^\s"';,()<>{$\[]{8,})(?=[;\s"'])""",
    ],
    "Basic Auth Credentials": [
        r"""\b[a-z][\w+.-]*://[^\s:/@"'`<>]*:(?!\d+[/?#])(?P<value>[^\s"'`<>]+)@[\w.\[-]""",
        r"""\b(?:curl|https?|wget)\b.*?\s(?:-\w*u|-a|--user|--auth|--proxy-user)[ =]?["']?"""
        r"""[^\s:"'$]+:(?P<value>[^\s"'`$]{8,})""",
        r"""\bmachine\s+\S+\s+(?:login\s+\S+\s+)?password\s+(?P<value>\S{8,})""",
        r"""\b(?:sshpass|(?:mysql|docker\s+login|redis-cli|sqlcmd)\b.*?)\s-[pa]\s*["']?(?P<value>[^\s"'$]{8,})""",
        rf"""\b(?:auth\s*=\s*|basic_?auth\w*)\(\s*{USER}{QUOTED}""",
    ],
    "Authorization": [
        r"""\bbearer\s+(?P<value>(?=[\w.~+/=-]*\d)[\w.~+/=-]{16,})""",
        r"""authorization["']?\s*[:=,]\s*[rbf]?["']?(?:basic|token|apikey|bot)\s+(?P<value>[\w+/.=-]{12,})""",
        r""""auth"\s*:\s*"(?P<value>[\w+/]{16,}={0,2})\"""",
        r"""\bwandb\s+login\s+(?P<value>[0-9a-f]{40})""",
    ],
}
SETTINGS = [  # in files in which a value needs no quotes
    rf"""(?:^|[\s"'`;!%])[\w.-]*{NAME}["']?\s*[:?+]?[:=]\s*{PLAIN}""",
    rf"""^\s*(?:ENV|setx?|setenv|%env)\s+[\w.-]*{NAME}\s+{PLAIN}""",
]
HINT = re.compile(
    r"(?i)pass|pwd|secret|token|credential|key|kennwort|contrase|mot|auth|bearer|://|curl|wget|http"
    r"|mysql|docker|redis|sqlcmd|wandb|identified|sudo"
)
OF_ONE_NAME = {
    ".netrc": r"\bpassword\s+(?P<value>\S{6,})",
    "_netrc": r"\bpassword\s+(?P<value>\S{6,})",
    ".pgpass": r"^(?:[^:#\s]+:){4}(?P<value>\S{6,})$",
    "kaggle.json": r"""\"key\"\s*:\s*\"(?P<value>[0-9a-f]{32})\"""",
}
SHELL = {"", ".bash", ".bat", ".cfg", ".cmd", ".cnf", ".conf", ".env", ".envrc", ".fish", ".mk"}
SHELL |= {".ini", ".properties", ".ps1", ".service", ".sh", ".tfvars", ".toml", ".zsh"}
PROSE = {".http", ".ipynb", ".md", ".rest", ".rst", ".txt", ".yaml", ".yml"}
EMPTY_WORDS = re.compile(
    r"(?i)example|change.?(?:me|it|this)|placeholder|your|dummy|redacted|replace|insert|sample"
    r"|not.?(?:a.?)?(?:real|secret)|fake|to.?do|xxxx|\*\*\*|\.\.\.|…|secrets\.|environ|getenv|vault:"
    r"|^(?:none|null|true|false|undefined|string|password|passwort|passphrase|postgres|testtest"
    r"|token|secret|credentials?|required|optional|hidden|disabled|enabled)\d{0,3}$"
)
REFERENCE = re.compile(
    r"[\w.-]+[\[(].*|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|\w+://.*|(?:~|\.{0,2})/[\w./-]*|[\w./-]+/[\w.-]+\.[a-z]{2,7}|[a-z]+(?:_[a-z0-9]+){2,}"
)
OF_ANOTHER = re.compile(  # password_file, token_url, secret_name: what follows is not the secret
    rf"{NAME[:-6]}[\w-]*[_-](?:arn|class|column|count|expir\w*|field|file|format|hash|header|help|ids?"
    r"|label|length|limit|max|min|model|names?|param|path|policy|prefix|prompt|ref|size|type|ur[il]"
    r"|var|version)[\"'\])]*\s*[:=(,]+\s*[\"'`]?$",
    re.IGNORECASE,
)
HOLE = re.compile(r"\{\w*[^}]*\}|\$\(|\$\{|<[^>]+>|%\(\w+\)|%s")
SENTENCE = re.compile(r"[A-Z]?[a-z']+,? (?:\S+ )*\S+[.:?!]$|[A-Z][a-z']+ [a-z]+ ")
CHOSEN_BY_A_PERSON = re.compile(
    r"(?i)(?:pass(?:word|wort|wd|phrase|code)?|pwd|kennwort|contrase.a)\b[^=:,]*[:=(]?[^=:,]*$|://|-u|-p"
)


def find_kinds(path: str, text: str) -> list[str]:
    """What the secrets of a line are; a placeholder is none. Text in UTF-16 may have its zeros."""
    line = text.replace("\0", "").lstrip("\ufeff\ufffd")
    file = Path(path)
    if file.suffix == ".ipynb":
        line = _read_cell(line)
    is_shell = file.suffix in SHELL or file.name.startswith((".env", "Dockerfile", "Makefile"))
    kinds = [kind for kind, form in _load_forms() if is_real(form.search(line))]
    for kind, expression, is_loose in _load_guesses() if HINT.search(line) else ():
        if not is_loose or is_shell or file.suffix in PROSE:
            kinds += [
                kind
                for match in expression.finditer(line)
                if is_secret(match["value"], line[: match.start("value")], is_loose=is_loose)
            ]
    if expression_of_name := OF_ONE_NAME.get(file.name):
        kinds += ["Basic Auth Credentials"] * bool(re.search(expression_of_name, line))
    # In settings and in a shell a value needs no quotes, as in an .ini file.
    name = f"{path}.ini" if is_shell else path
    for detector in _load_detectors():
        for each in detector.analyze_line(filename=name, line=line, line_number=1):
            value = each.secret_value or ""
            before = line.partition(value)[0].rstrip("= " if is_shell else "")
            if is_secret(value, before) if each.type in GUESSED else "EXAMPLE" not in value:
                kinds.append(detector.secret_type)
    return list(dict.fromkeys(kinds))


def is_real(match: re.Match[str] | None) -> bool:
    """Whether there is a match, and not of a key that a manual shows."""
    return match is not None and "EXAMPLE" not in match[0]


def is_secret(value: str, before: str, *, is_loose: bool = False) -> bool:
    """Whether a value that was guessed is a secret: no placeholder, name, path or sentence.

    `before` is what stands before it. A password may be a word; another key is not, and neither is
    a value without quotes (`is_loose`).
    """
    value = value.strip()
    if len(value) < SHORTEST or len(set(value)) < 4 or value[0] in "$%),]}>":
        return False
    if heuristic.is_templated_secret(value) or heuristic.is_sequential_string(value):
        return False
    if any(expression.search(value) for expression in (HOLE, EMPTY_WORDS)):
        return False
    if REFERENCE.fullmatch(value) or SENTENCE.match(value) or OF_ANOTHER.search(before):
        return False
    if CHOSEN_BY_A_PERSON.search(before) and not is_loose and not before.endswith("="):
        return True
    return re.search(r"\d", value) is not None and re.search(r"\s", value) is None


def _read_cell(line: str) -> str:
    """A line of a notebook without the marks of JSON around it."""
    try:
        text = json.loads(line.strip().rstrip(","))
    except ValueError:
        return line
    return text if isinstance(text, str) else line


@cache
def _load_forms() -> list[tuple[str, re.Pattern[str]]]:
    return [(kind, re.compile(expression)) for kind, expression in FORMS.items()]


@cache
def _load_guesses() -> list[tuple[str, re.Pattern[str], bool]]:
    """Kind and expression of each guess, and whether its value has no quotes."""
    tight = [(kind, each, False) for kind, expressions in GUESSES.items() for each in expressions]
    loose = [("Secret Keyword", each, True) for each in SETTINGS]
    return [
        (kind, re.compile(each, re.IGNORECASE), is_loose) for kind, each, is_loose in tight + loose
    ]


@cache
def _load_detectors() -> list[BasePlugin]:
    classes: Iterable[type[BasePlugin]] = get_mapping_from_secret_type_to_class().values()
    return [each() for each in classes if each.__name__ not in LEFT_OUT]
