"""An agent that does nothing but play one remediation, to be killed meanwhile.

Arguments: the remediations' folder, the work folder, the remediation.
"""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from agent.config.contents import contents_of
from agent.model.remediation import Host, Phase, RunSpec
from agent.runtime.ansible.executor import AnsibleExecutor


async def main(remediations: Path, work: Path, name: str) -> None:
    executor = AnsibleExecutor(remediations, work)
    await executor.start()
    spec = RunSpec(
        run="lone-run",
        remediation=name,
        digest=contents_of(remediations / name).digest,
        phase=Phase.REMEDIATE,
        hosts=(Host(name="app1", address="127.0.0.1", connection="local"),),
        parameters={},
        timeout=timedelta(minutes=5),
    )
    await executor.launch(
        await executor.prepare(spec),
        lambda line: None,
        begun=lambda: None,
        patience=timedelta(seconds=30),
    )


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
