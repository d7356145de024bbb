"""The shell scripts of the project, one path a line, for shellcheck."""

import subprocess

from tools.offline.stack_file import PROJECT


def shell_scripts() -> list[str]:
    """Every tracked or new file that ends in .sh, relative to the project."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.sh"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(path for path in listed.stdout.split() if (PROJECT / path).is_file())


if __name__ == "__main__":
    print("\n".join(shell_scripts()))
