"""Public repositories rebuilt in miniature: what is told of them is told by the same few files."""

LOAN_DEFAULT = {
    # davified/loan-default-prediction: a metric test that splits for itself, stratified tests that
    # are skipped, CI through a script that starts a container.
    "README.md": "Install Docker, then run `./batect unit-test`; tests with pytest.\n",
    "src/train.py": "from sklearn.ensemble import RandomForestClassifier\n"
    "from preprocessing import prepare\nmodel = RandomForestClassifier(random_state=10)\n",
    "src/preprocessing.py": "def prepare(rows):\n    return rows.dropna()\n",
    "src/tests/test_preprocessing.py": "from preprocessing import prepare\n\n"
    "def test_no_missing(rows):\n    assert not prepare(rows).isna().any()\n",
    "src/tests/test_model_metrics.py": "import joblib\nfrom sklearn.metrics import recall_score\n"
    "from sklearn.model_selection import train_test_split\n\n"
    "def test_recall_should_be_above_threshold(x, y):\n"
    "    model = joblib.load('model.joblib')\n"
    "    _, x_test, _, y_test = train_test_split(x, y)\n"
    "    assert recall_score(y_test, model.predict(x_test)) > 0.6\n\n"
    "@pytest.mark.skip\ndef test_recall_by_segment(x, y):\n    assert min(recalls) > 0.6\n",
    "scripts/test.sh": "set -e\ndocker run loans pytest src/tests\n",
    ".github/workflows/ci.yaml": "name: ci\non: [push, pull_request]\njobs:\n  test:\n    steps:\n"
    "      - uses: actions/checkout@v2\n      - run: ./scripts/test.sh\n",
    "poetry.lock": "# locked\n",
    "pyproject.toml": "[tool.poetry]\nname = 'loans'\n",
}
MADE_WITH_ML = {
    # GokuMohandas/Made-With-ML: tests by code, data and model, run in a job on a cluster that CI
    # only submits; a token that may write everything.
    "README.md": "Setup a virtual environment, run `make`; tests: `pytest tests/code`.\n",
    "LICENSE": "MIT\n",
    "requirements.txt": "ray==2.7.0\nmlflow==2.3.1\ngreat-expectations==0.16.5\n",
    "madewithml/data.py": "def preprocess(df):\n    return df\n",
    "madewithml/models.py": "import torch.nn as nn\nclass Finetuned(nn.Module): ...\n",
    "madewithml/tune.py": "from ray.tune import Tuner\nfrom hyperopt import hp\n",
    "madewithml/train.py": "import mlflow\nset_seeds(1234)\n",
    "tests/code/test_data.py": "from madewithml import data\n\ndef test_preprocess(df):\n"
    "    assert data.preprocess(df).shape\n",
    "tests/data/test_dataset.py": "import great_expectations as ge\n\ndef test_dataset(df):\n"
    "    assert ge.dataset.PandasDataset(df).validate()['success']\n",
    "tests/model/test_behavioral.py": "def test_invariance(predict):\n"
    "    assert predict('a') == predict('b')\n",
    ".pre-commit-config.yaml": "repos:\n- repo: https://github.com/pre-commit/pre-commit-hooks\n"
    "  hooks:\n  - id: check-added-large-files\n",
    ".github/workflows/workloads.yaml": "name: workloads\non:\n  workflow_dispatch:\n"
    "  pull_request:\n    branches: [main]\npermissions: write-all\njobs:\n  workloads:\n"
    "    steps:\n      - run: anyscale jobs submit deploy/jobs/workloads.yaml --wait\n",
    "deploy/jobs/workloads.sh": "pytest tests/data\npytest tests/code\npython train.py\n",
}
LIGHTNING_HYDRA = {
    # ashleve/lightning-hydra-template: good engineering, sweeps, nothing about what a model is for.
    "README.md": "```\npip install -r requirements.txt\npython src/train.py\nmake test\n```\n",
    "requirements.txt": "torch>=2.0.0\nlightning>=2.0.0\n",
    "pyproject.toml": "[tool.pytest.ini_options]\ntestpaths = 'tests/'\n",
    "configs/hparams_search/mnist_optuna.yaml": "defaults:\n  - override /hydra/sweeper: optuna\n",
    "src/train.py": "from lightning import seed_everything\nimport wandb\nseed_everything(1)\n",
    "src/models/mnist_module.py": "import torch.nn as nn\nclass Net(nn.Module): ...\n",
    "tests/test_train.py": "from src.train import train\n\ndef test_train_fast_dev_run(cfg):\n"
    "    train(cfg)\n\ndef test_train_resume(cfg):\n    assert train(cfg)['val/acc'] > 0\n",
    "tests/test_models.py": "from src.models import mnist_module\n\ndef test_shape(x):\n"
    "    assert mnist_module.Net()(x).shape == (1, 10)\n",
    "Makefile": 'format: ## Run hooks\n\tpre-commit run -a\n\ntest:\n\tpytest -k "not slow"\n',
    ".pre-commit-config.yaml": "repos:\n- repo: https://github.com/psf/black\n  hooks:\n"
    "  - id: black\n- repo: https://github.com/PyCQA/flake8\n  hooks:\n  - id: flake8\n"
    "- repo: https://github.com/pre-commit/pre-commit-hooks\n  hooks:\n"
    "  - id: detect-private-key\n  - id: check-added-large-files\n",
    ".github/workflows/test.yml": "name: tests\non:\n  push:\n  pull_request:\njobs:\n"
    "  run_tests:\n    steps:\n      - uses: actions/checkout@v3\n"
    "      - run: pip install -r requirements.txt\n      - run: make test\n",
    ".github/workflows/code-quality-pr.yaml": "name: quality\non:\n  pull_request:\njobs:\n"
    "  code-quality:\n    steps:\n      - uses: pre-commit/action@v2.0.3\n",
}
GET_STARTED = {
    # iterative/example-get-started, with the pipeline of its GitLab twin: data and stages are
    # versioned, figures come to the merge request, and there is no test at all.
    "README.md": "Install with `pip install -r src/requirements.txt`, run `dvc repro`.\n",
    "dvc.yaml": "stages:\n  train:\n    cmd: python src/train.py\n    deps: [src/train.py]\n",
    "dvc.lock": "stages:\n  train:\n    deps:\n    - path: src/train.py\n      md5: 0\n"
    "    outs:\n    - path: evaluation/metrics.json\n      md5: 0\n",
    "params.yaml": "train: {seed: 20170428}\n",
    "data/data.xml.dvc": "outs:\n- md5: a304afb96060aad90176268345e10355\n  path: data.xml\n",
    ".dvc/config": "[core]\n    remote = storage\n['remote \"storage\"']\n"
    "    url = https://remote.dvc.org/get-started\n",
    "src/featurization.py": "def featurize(x):\n    return x\n",
    "src/train.py": "from dvclive import Live\nmodel = RandomForestClassifier(random_state=1)\n",
    "evaluation/metrics.json": "{}",
    ".gitignore": "/data\n",
    ".gitlab-ci.yml": "include:\n  - local: ci/train.yml\nstages: [train]\n",
    "ci/train.yml": ".base:\n  before_script:\n    - dvc pull\ntrain:\n  extends: .base\n"
    "  rules:\n    - if: $CI_PIPELINE_SOURCE == 'merge_request_event'\n  script:\n"
    "    - dvc repro\n    - dvc metrics diff\n    - cml comment create report.md\n",
}
