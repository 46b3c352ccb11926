"""What stands in deploy/ speaks of metrics, alerts and options that there are."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from beats_signer.operate.families import FAMILIES, Kind

ROOT = Path(__file__).parents[2]
ALERTS: list[dict[str, Any]] = yaml.safe_load(
    (ROOT / "deploy/prometheus/alerts.yml").read_text()
)["groups"][0]["rules"]
DASHBOARD = json.loads((ROOT / "deploy/grafana/dashboard.json").read_text())
EXPRESSIONS = [alert["expr"] for alert in ALERTS] + [
    target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]
]

SERIES = {
    name
    for family in FAMILIES
    for name in (
        [f"{family.name}_bucket", f"{family.name}_sum", f"{family.name}_count"]
        if family.kind is Kind.HISTOGRAM
        else [family.name]
    )
}
LABELS = {family.name: family.labels for family in FAMILIES}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expressions_name_metrics_that_there_are(expression: str) -> None:
    named = set(re.findall(r"beats_signer_\w+", expression))

    assert named <= SERIES


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: str(alert["alert"]))
def test_each_alert_has_its_runbook(alert: dict[str, Any]) -> None:
    page = (ROOT / "docs/operate.md").read_text()

    assert f"### {alert['alert']}\n" in page
    anchor = alert["annotations"]["runbook"]
    assert anchor == f"docs/operate.md#{alert['alert'].lower()}"


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: str(alert["alert"]))
def test_alerts_speak_of_labels_that_their_metrics_have(alert: dict[str, Any]) -> None:
    said = set(re.findall(r"\$labels\.(\w+)", json.dumps(alert["annotations"])))
    (metric, *_) = re.findall(r"beats_signer_\w+|up", alert["expr"])

    assert said <= {"instance", *LABELS.get(metric, ())}


def test_every_runbook_entry_belongs_to_an_alert() -> None:
    page = (ROOT / "docs/operate.md").read_text()

    entries = re.findall(r"^### (BeatsSigner\w+)$", page, re.M)
    assert entries == [alert["alert"] for alert in ALERTS]


def test_the_unit_restarts_no_refused_start_and_leaves_no_core() -> None:
    unit = (ROOT / "deploy/systemd/beats-signer.service").read_text()

    assert "Type=notify" in unit
    assert "RestartPreventExitStatus=78" in unit
    assert "LimitCORE=0" in unit


def test_the_compose_file_runs_the_signer_without_privileges() -> None:
    text = (ROOT / "deploy/docker/compose.yml").read_text()
    services = yaml.safe_load(text)["services"]

    for name in ("signer", "prepare"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
