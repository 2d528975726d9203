"""Lines with a secret and lines without one, by file. They are put together here: «P» is the word
for a secret, «V» the value, so that no scanner takes this file for a leak.
"""

import base64
import random
import string
from functools import reduce

WORDS = {
    "«P»": "pass" + "word",
    "«S»": "sec" + "ret",
    "«K»": "api" + "_key",
    "«T»": "tok" + "en",
    "«W»": "correct horse" + " battery",
    "«E»": "MHViNGRv" + "cjN4UXo=",
    "«:»": ":",
    "«V»": "Tr0ub4" + "dor3xQz",
    "«B»": "Bear" + "er",
    "«A»": "Author" + "ization",
    "«KEY»": "PRIVATE" + " KEY",
}
_random = random.Random(14)


def draw(number: int, letters: str = string.ascii_letters + string.digits) -> str:
    """A value as a service makes one."""
    return "".join(_random.choices(letters, k=number))


HEX = "0123456789abcdef"
JWT = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=")
    for part in (b'{"alg": "HS256"}', b'{"sub": "ann"}', b"signature-of-it!")
)

TRUE: dict[str, tuple[str, str]] = {
    "a password": ("a.py", '«P» = "«V»"'),
    "of single quotes": ("a.py", "DB_PASSWORD = '«V»'"),
    "in a call": ("a.py", 'x = connect(user="ann", «P»="«V»")'),
    "in a call on a line of its own": ("a.py", '        «P»="«V»",'),
    "a word, in a call": ("a.py", 'engine = create_engine(url, «P»="letmeinplease")'),
    "with a type": ("a.py", '«K»: str = "«V»"'),
    "in a dictionary": ("a.py", 'settings = {"user": "ann", "db_«P»": "«V»"}'),
    "as a default": ("a.py", 'x = os.environ.get("DB_PASSWORD", "«V»")'),
    "into the environment": ("a.py", 'os.environ["MLFLOW_TRACKING_PASSWORD"] = "«V»"'),
    "to set a default": ("a.py", 'os.environ.setdefault("HF_TOKEN", "«V»")'),
    "of bytes": ("a.py", '«S» = b"«V»"'),
    "a token": ("a.py", 'auth_«T» = "«V»"'),
    "an access key": ("a.py", 'aws_«S»_access_key="' + draw(40) + '"'),
    "a pass phrase": ("a.py", 'passphrase = "«W» staple"'),
    "after a comparison": ("a.py", 'if «P» == "«V»":'),
    "in a comment": ("a.py", '# the «P» is: «P» = "«V»"'),
    "a header": ("a.py", 'headers = {"«A»": "«B» ' + draw(40) + '"}'),
    "a header of curl": ("a.sh", 'curl -H "«A»: «B» ' + draw(32) + '" https://api.acme.com'),
    "a header with a name of its own": ("a.py", 'headers={"X-Api-Key": "' + draw(32) + '"}'),
    "basic, in a header": (
        "a.http",
        "«A»: Basic " + base64.b64encode(b"ann:" + draw(12).encode()).decode(),
    ),
    "of curl": ("a.sh", "curl -u ann:«V» https://acme.com/data.csv"),
    "of curl, in quotes": ("deploy.md", "    curl --user 'ann:«V»!' https://acme.com"),
    "of curl, in a workflow": (
        ".github/workflows/a.yml",
        "      - run: curl -sSfu ann:«V» acme.com",
    ),
    "an option": ("a.sh", "dvc remote modify --local s3 --«P» «V»"),
    "an option with a sign": ("Makefile", "\tdeploy --«K»=«V»"),
    "of sshpass": ("a.sh", "sshpass -p '«V»' ssh ann@acme.com"),
    "exported": ("a.sh", "export X_PASSWORD=«V»"),
    "exported, in quotes": ("a.sh", "export X_TOKEN='«V»'"),
    "exported, a word": ("a.sh", "export X_PASSWORD=letmeinplease"),
    "of one command": ("a.sh", "PGPASSWORD=«V» psql -h acme.com"),
    "of a Dockerfile": ("Dockerfile", "ENV DB_PASSWORD «V»"),
    "of docker": ("a.sh", "docker run -e DB_PASSWORD=«V» app"),
    "of PowerShell": ("a.ps1", '$env:DB_PASSWORD = "«V»"'),
    "of .env": (".env", "SECRET_KEY=«V»"),
    "of .env for production": (".env.production", "HF_TOKEN=«V»"),
    "of DVC": (".dvc/config", "    «S»_access_key = " + draw(40)),
    "of YAML": ("a.yaml", "  «P»: «V»"),
    "of YAML, in a list": ("compose.yaml", "      - POSTGRES_PASSWORD=«V»"),
    "of TOML": ("a.toml", '«T» = "«V»"'),
    "of JSON": ("a.json", '  "client_«S»": "«V»",'),
    "of two at once": ("a.py", 'user, «P» = "ann", "«V»"'),
    "of requests": ("a.py", 'get(url, auth=("ann", "«V»"))'),
    "of another language": ("a.py", 'kennwort = "«V»"'),
    "of words in a connection": ("a.py", 'psycopg.connect("host=db user=ann «P»=«V» dbname=x")'),
    "of a bus": ("a.py", 'bus("Endpoint=sb://x/;SharedAccessKeyName=r;SharedAccessKey=«V»=")'),
    "of DVC's command": ("a.md", "    dvc remote modify --local s3 «S»_access_key «V»"),
    "of docker's settings": (
        "config.json",
        '{"auths": {"acme.com": {"auth": "YW5uOlRy«E»"}}}',
    ),
    "of Kaggle": ("kaggle.json", '{"username": "ann", "key": "' + draw(32, HEX) + '"}'),
    "of W&B": ("a.sh", "wandb login " + draw(40, HEX)),
    "of three quotes": ("a.py", '«P» = """«V»"""'),
    "of SQL": ("a.sql", "CREATE USER ann IDENTIFIED BY '«V»';"),
    "of a name and a value": ("a.yaml", "- {name: DB_PASSWORD, value: «V»}"),
    "of an attribute": ("a.xml", '<add key="DbPassword" value="«V»" />'),
    "of a Makefile": ("Makefile", "DB_PASSWORD := «V»"),
    "of a page": ("a.md", "Log in as ann; the «P» is `«V»`."),
    "of a pipe": ("a.sh", "echo '«V»' | docker login -u ann --«P»-stdin"),
    "of XML": ("settings.xml", "<«P»>«V»</«P»>"),
    "of netrc": (".netrc", "machine acme.com login ann «P» «V»"),
    "of netrc, over lines": (".netrc", "  «P» «V»"),
    "of netrc, elsewhere": ("setup.md", "    machine acme.com login ann «P» «V»"),
    "of pgpass": (".pgpass", "acme.com:5432:churn:ann:«V»"),
    "of a notebook": ("a.ipynb", '    "«P» = \\"«V»\\"\\n",'),
    "of a notebook's call": ("a.ipynb", '    "x = connect(\\"ann\\", «P»=\'«V»\')"'),
    "of a notebook's shell": ("a.ipynb", '    "%env WANDB_API_KEY=«V»\\n",'),
    "of a notebook's output": ("a.ipynb", '    "postgresql://ann:«V»@acme.com/churn"'),
    "of a URL": ("a.py", 'url = "postgresql://ann:«V»@acme.com/churn"'),
    "of a URL, with punctuation": (
        "a.py",
        'url = "postgresql://ann«:»Tr0ub!dor&3,x@acme.com/churn"',
    ),
    "of a URL, with other punctuation": (
        "a.yaml",
        "url: mysql+pymysql://ann«:»pa$s(w)0rd;x=1@db:3306/x",
    ),
    "of a URL without a user": ("a.py", 'Redis.from_url("redis://:«V»@acme.com:6379/0")'),
    "of a URL of git": ("a.sh", "git clone https://ann:«V»@acme.com/x.git"),
    "of a connection": ("a.py", 'x = odbc("Server=acme.com;Uid=ann;Pwd=«V»;")'),
    "of a query": ("a.py", 'get("https://acme.com/data?«K»=«V»&n=1")'),
    "signed": (
        "a.py",
        'read("https://acme.blob.core.windows.net/c/x.csv?sv=2024-01-01&sp=r&sig='
        + draw(43)
        + '%3D")',
    ),
    "signed, by its key": ("a.md", "AccountKey=" + draw(86) + "=="),
    "signed, by Amazon": ("a.md", "https://b.s3.amazonaws.com/x?X-Amz-Signature=" + draw(64, HEX)),
    "a key": ("a.pem", "-----BEGIN «KEY»-----"),
    "a key with a pass phrase": ("a.pem", "-----BEGIN ENCRYPTED «KEY»-----"),
    "a key of ssh": ("id", "-----BEGIN OPENSSH «KEY»-----"),
    "a key of PGP": ("a.asc", "-----BEGIN PGP «KEY» BLOCK-----"),
    "a key in JSON": ("key.json", '"private_key": "-----BEGIN «KEY»-----\\nMIIE'),
    "a JSON web token": ("a.txt", JWT),
    **{
        f"of {vendor}": ("a.md", "It is " + start + draw(number, letters) + end + " there.")
        for vendor, start, number, letters, end in (
            ("GitHub", "gh" + "p_", 36, string.ascii_letters, ""),
            ("GitHub, fine-grained", "github" + "_pat_", 82, string.ascii_letters, ""),
            ("GitLab", "gl" + "pat-", 20, string.ascii_letters, ""),
            ("AWS", "AK" + "IA", 16, string.ascii_uppercase, ""),
            ("Google", "AI" + "za", 35, string.ascii_letters, ""),
            ("Hugging Face", "h" + "f_", 34, string.ascii_letters, ""),
            ("Anthropic", "sk-" + "ant-api03-", 93, string.ascii_letters, "AA"),
            ("OpenAI", "sk-" + "proj-", 74, string.ascii_letters, "T3Blbk" + draw(20)),
            ("Slack", "xo" + "xb-", 12, string.digits, "-" + draw(12, HEX)),
            ("Slack's apps", "xa" + "pp-1-A0", 10, string.digits, "-123-" + draw(64, HEX)),
            ("Stripe", "sk_" + "live_", 24, string.ascii_letters, ""),
            ("npm", "np" + "m_", 36, string.ascii_letters, ""),
            ("PyPI", "py" + "pi-AgEIcHlwaS5vcmc", 80, string.ascii_letters, ""),
            ("Databricks", "da" + "pi", 32, HEX, ""),
            ("Docker", "dck" + "r_pat_", 27, string.ascii_letters, ""),
            ("Vault", "hv" + "s.", 90, string.ascii_letters, ""),
            ("Grafana", "gl" + "sa_", 32, string.ascii_letters, "_" + draw(8, HEX)),
            ("SendGrid", "S" + "G.", 22, string.ascii_letters, "." + draw(43)),
        )
    },
}

HARMLESS: dict[str, tuple[str, str]] = {
    "read from the environment": ("a.py", '«P» = os.environ["DB_PASSWORD"]'),
    "read, with an empty default": ("a.py", '«P» = os.getenv("DB_PASSWORD", "")'),
    "asked for": ("a.py", '«P» = getpass("Password: ")'),
    "asked for, with more": ("a.py", 'ask("Password: ", help="as your administrator told you")'),
    "of a function": ("a.py", "«S» = read_«S»(name)"),
    "of settings": ("a.py", 'connect(user=user, «P»=settings["db_«P»"])'),
    "a parameter": ("a.py", 'def connect(user: str, «P»: str = "") -> None:'),
    "a type": ("a.py", "    «K»: SecretStr | None = None"),
    "a field": ("a.py", 'fields = ["user", "«P»", "customer_name"]'),
    "a column": ("a.py", '«P»_column = "customer_segment"'),
    "a message": ("a.py", 'raise Fixable("«P»: expected at least 12 characters, found 3")'),
    "a label": ("a.py", 'labels = {"«P»": "Your pass phrase of at least 12 characters"}'),
    "a short one, for a test": ("a.py", 'login("ann", «P»="pw")'),
    "a placeholder": ("a.py", '«K» = "<your key here>"'),
    "a placeholder of a word": ("a.py", '«P» = "changeme123"'),
    "a placeholder of signs": (".env.example", "DB_PASSWORD=********"),
    "a placeholder of x": (".env.example", "«K»=xxxxxxxxxxxxxxxx"),
    "an empty one": (".env.example", "DB_PASSWORD="),
    "an f-string": ("a.py", 'url = f"postgresql://{user}:{«P»}@{host}/churn"'),
    "a variable of the shell": ("a.sh", 'export PGPASSWORD="$DB_PASSWORD"'),
    "a command of the shell": ("a.sh", "export X_TOKEN=$(cat /run/secrets/x)"),
    "asked by the shell": ("a.sh", 'read -r -s -p "Password: " answer'),
    "tested by the shell": ("a.sh", 'if [ -z "$DB_PASSWORD" ]; then exit 1; fi'),
    "of a workflow": (".github/workflows/a.yml", "  «T»: ${{ secrets.GITHUB_TOKEN }}"),
    "a name in a workflow": (".github/workflows/a.yml", "  «S»: GITHUB_TOKEN"),
    "permissions": (".github/workflows/a.yml", "  id-«T»: write"),
    "of Compose": ("compose.yaml", "  POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it in .env}"),
    "a file of Compose": ("compose.yaml", "  POSTGRES_PASSWORD_FILE: /run/secrets/db_password_2"),
    "a path": ("a.yaml", "«S»: /run/secrets/database-2"),
    "an address": ("a.py", '«T»_url = "https://login.acme.com/oauth2/v2.0/authorize"'),
    "a port and a version": ("a.md", "See http://localhost:8000/docs@2 and https://acme.com."),
    "an address of git": ("a.md", "git clone git@acme.com:ml/churn.git"),
    "an e-mail": ("a.md", "Write to ann@acme.com: she answers."),
    "an address without one": ("a.py", 'url = "postgresql://ann@acme.com:5432/churn"'),
    "an address of examples": ("a.md", "postgresql://user:«P»@localhost/db"),
    "curl without one": ("a.sh", "curl -u ann https://acme.com"),
    "curl with a variable": ("a.sh", 'curl -u "ann:$DB_PASSWORD" -H "«A»: «B» $TOKEN" acme.com'),
    "a header without one": ("a.py", 'headers = {"«A»": f"«B» {«T»}"}'),
    "prose": ("a.md", "The «P»: ask Ann. A «B» token comes in the header «A»."),
    "prose about tokens": (
        "a.md",
        "The token limit is 4096; a secret is read from the environment.",
    ),
    "a rule": ("a.yaml", "  «P»: required"),
    "a hash of a commit": ("a.yaml", "rev: " + draw(40, HEX)),
    "a hash of a lock": ("uv.lock", '{ url = "x", hash = "sha256:' + draw(64, HEX) + '" }'),
    "a pointer of DVC": ("a.dvc", "- md5: " + draw(32, HEX)),
    "a public key": ("a.pem", "-----BEGIN PUBLIC" + " KEY-----"),
    "a certificate": ("a.pem", "-----BEGIN CERTIFICATE-----"),
    "a public key of ssh": ("id.pub", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA" + draw(40)),
    "a picture of a notebook": ("a.ipynb", '    "image/png": "iVBORw0KGgo' + draw(2000) + '",'),
    "a template of Jinja": ("a.yaml.jinja", "«P»: {{ database_«P» }}"),
    "a token of words": ("a.py", 'end_«T» = "<|endoftext|>"'),
    "a token of a model": ("a.py", 'TOKENS = {"pad_«T»": "[PAD]", "mask_«T»": "[MASK]"}'),
    "a tokenizer": ("a.py", 'tokenizer = "bert-base-uncased-2"'),
    "a limit of tokens": ("params.yaml", "  max_tokens: 100000000"),
    "a key of storage": ("a.py", 'secret_key = "customers/2024-01.parquet"'),
    "an example of a manual": ("a.md", "AKIAIOSFODNN7" + "EXAMPLE is no key."),
    "a digest of an image": ("a.yaml", "image: docker://alpine:3.20@sha256:" + draw(64, HEX)),
    "a key of a table": ("a.py", 'KEY = "customer_id"; partition_key = "snapshot_2024"'),
}


def fill(samples: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """The path and the line of each sample."""
    return {name: (path, put_words(line)) for name, (path, line) in samples.items()}


def put_words(line: str) -> str:
    """The line with the words in place of their marks."""
    return reduce(lambda text, mark: text.replace(mark, WORDS[mark]), WORDS, line)
