"""`dvc.yaml` and `checks/plan.py` say the same of what each stage reads and writes."""

import ast

import yaml

from ..conftest import Render


def test_the_plan_that_check_holds_against_dvc_yaml_is_that_of_the_template(render: Render) -> None:
    folder = render("churn")
    plan = folder / "src/churn/delivery/checks/plan.py"
    stated = next(
        ast.literal_eval(node.value)
        for node in ast.parse(plan.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "STAGES"
    )
    stages = yaml.safe_load((folder / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    start = "env PYTHONPATH=src python -m churn.delivery.pipeline"
    for name, paths in stated.items():
        words = f"{start}.{name} {paths.replace(' -> ', ' ')}"
        assert " ".join(stages[name]["cmd"].split()) == words
    assert stages.keys() - stated == {"track"}
