"""What `docker logs` shows."""

import time


def log(text: str) -> None:
    """One line on standard output, as `docker logs` shows it."""
    print(f"{time.strftime('%Y/%m/%d %H:%M:%S')} [INFO] {text}", flush=True)
