"""The pictures of README and pages from the results of the demo; needs Chromium.

``python tests/take_pictures.py RESULTS FOLDER`` (or ``make pictures``).
"""

import io
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image

from browser import Browser, find_chromium

HEIGHT = 1000


def main(results, folder):
    """Copy the figure of the fits, and take the upper part of the report at 1400 pixels."""
    results, folder = Path(results), Path(folder)
    shutil.copy(results / "figures" / "pdf_fits.png", folder / "pdf_fits.png")
    program = find_chromium()
    if program is None:
        sys.exit("no Chromium is installed: the picture of the report stays as it was")
    with Browser(program) as browser, tempfile.TemporaryDirectory() as temporary:
        browser.open(results / "report.html", width=1400)
        browser.wait_for("document.documentElement.dataset.plots === 'drawn'")
        # The answer, and below it the first figures: what a reader sees first, without the tables between.
        browser.run("document.querySelector('main > .summary').remove();")
        whole = Path(temporary) / "page.png"
        browser.screenshot(whole)
        picture = Image.open(whole).convert("RGB").crop((90, 0, 1310, HEIGHT + 320))
        stream = io.BytesIO()
        picture.resize((915, (HEIGHT + 320) * 3 // 4)).quantize(256, kmeans=2).save(
            stream, "png", optimize=True
        )
        (folder / "report.png").write_bytes(stream.getvalue())


if __name__ == "__main__":
    main(*sys.argv[1:])
