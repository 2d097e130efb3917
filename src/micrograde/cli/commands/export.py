"""Write a recorded run's model as an ONNX file that gives the same answers. `--help` lists the keys."""

from pathlib import Path

from micrograde.analysis import check_output
from micrograde.cli.command_line import Config, entry_point
from micrograde.config.commands import ExportConfig
from micrograde.config.parsing import parse_command
from micrograde.core.errors import InputError, RunFailedError
from micrograde.core.printable import printable
from micrograde.core.terminal import say
from micrograde.core.working import working
from micrograde.models.onnx_export import OPSET, check_extra, compare_onnx, example_rows, export_onnx
from micrograde.runs.recorded_models import find_model

_ROWS = 1000  # rows that both models predict before anything is written


@entry_point(config_name="export")
def main(composed: Config) -> None:
    """Export the model, compare both, and write the file if they agree."""
    config = parse_command(ExportConfig, composed)
    output = Path(config.output)
    check_output(output, (".onnx",))
    check_extra()
    found = find_model(config.run_id, config.tracking)
    network, run_id = found.network, found.run.about.run_id
    with working("comparing the exported model with the run's", "stderr"):
        content = export_onnx(network, {"run_id": run_id}).SerializeToString()
        agreement = compare_onnx(content, network, example_rows(network, _ROWS))
    if not agreement:
        allowed = f"{agreement.allowed:.1e} is allowed"
        raise RunFailedError(f"run_id={run_id}: ONNX Runtime differs by {agreement}; {allowed}")
    try:
        output.write_bytes(content)
    except OSError as error:
        raise InputError(f"output={output}: cannot be written ({error.strerror})") from None
    lines = [f"model       of run {run_id} ({found.run.about.run_name})"]
    lines += [f"note        {note}" for note in found.notes]
    say("\n".join(map(printable, lines)))
    say(f"difference  {agreement}, by ONNX Runtime")
    say(f"written     {output}: {len(content):,} bytes, opset {OPSET}")
