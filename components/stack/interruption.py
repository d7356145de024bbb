"""Ending without a word when Pulumi's engine ends the program."""

import signal
import threading


def end_quietly() -> None:
    """Let an interrupt end the program at once, as it ends most programs.

    Pulumi's engine interrupts a program that still waits when an update has failed. Python would
    show a call stack for it, which Pulumi prints twice, around the one error that matters.
    """
    # Handlers belong to the main thread; elsewhere an interrupt is not the program's to handle.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_DFL)
