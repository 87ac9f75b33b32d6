import subprocess
import sys


def test_what_pillow_remarks_reaches_no_terminal() -> None:
    """Two files of ten bands each gave a line without a path beside the error that names them."""
    program = (
        "import logging\n"
        "import segprep.imaging.image\n"
        "logging.getLogger('PIL.TiffImagePlugin').error('More samples per pixel')\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
