"""Entry point for Pulumi's engine."""

from lab.programs.docker_stand_in.provider import DockerProvider
from lab.programs.plugin_base.serving import serve

if __name__ == "__main__":
    serve(DockerProvider)
