"""A headless Chromium that opens pages from the file system, without a network."""

import shutil
import time
from contextlib import contextmanager

import pytest

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
needs_chromium = pytest.mark.skipif(
    not (CHROMIUM and DRIVER),
    reason="no chromium here: apt-get install chromium chromium-driver",
)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--autoplay-policy=no-user-gesture-required",
    # Whatever a page asked of the network would fail, and stand in the console.
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
WIDE, PHONE = (1280, 900), (390, 844)
"""Windows in CSS pixels."""


@contextmanager
def opened(profile):
    """Start a browser with a profile folder of its own."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def visit(driver, page, size=WIDE):
    """Open a file in a window of some size, as an emulated screen: windows have a least width."""
    width, height = size
    screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    driver.get_log("browser")  # forgets what earlier pages said
    driver.get(page.resolve().as_uri())


def complaints(driver):
    """Return what the console holds."""
    return [entry["message"] for entry in driver.get_log("browser")]


def overflow(driver):
    """Return by how many pixels the page is wider than its window."""
    return driver.execute_script(
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )


def until(driver, script, seconds=10):
    """Wait until a script returns something true, and return it."""
    end = time.time() + seconds
    while not (value := driver.execute_script(script)):
        assert time.time() < end, f"waited in vain for {script}"
        time.sleep(0.05)
    return value
