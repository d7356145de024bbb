"""What every dynamic provider of this program is.

A dynamic provider does what no plugin does: it waits, asks Rancher, edits an object of Longhorn's.
Its methods run in a process of their own, which Pulumi starts beside the program (ADR 0003):
nothing that the program holds in memory is there, only the inputs, the state and the environment
of `pulumi`. The state keeps a reference to the class (module and name), never its code, so both
are fixed for good (docs/adr/0010-what-a-state-promises.md); tests/unit/test_states.py holds them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, final

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)
from pulumi.output import Unknown

Properties = dict[str, Any]

FINDING = "finding"
"""Input that says, in one line, what is not as the other inputs want it right now; None if all is.

The preview has seen it (components/longhorn/findings.py). It is a difference for as long as it says
anything: what a repair leaves of it in the state is none.
"""
_REFERENCE = "__provider"


def is_unknown(value: object) -> bool:
    """Whether an input is still to be computed; seen only while a preview checks and compares."""
    return isinstance(value, Unknown)


class DynamicProvider(ResourceProvider):
    """Base of the dynamic providers: the SDK's calls under clean names, and one way to compare.

    Every input is compared with the state, so that what a removal goes by is never an old value;
    a provider names the exceptions, each with its reason.
    """

    serialize_as_secret_always = False

    outputs: ClassVar[Sequence[str]] = ()
    """Properties that the provider computes."""
    not_compared: ClassVar[Mapping[str, str]] = {}
    """Inputs whose change alone runs nothing, and why that is right."""
    replaced_by: ClassVar[Sequence[str]] = ()
    """Inputs whose change makes it another resource."""
    leaves_outputs: ClassVar[Sequence[str]] = ()
    """Inputs whose change alone leaves every output as it is, so that a preview knows them."""
    deletes_before_replacing: ClassVar[bool] = False
    """Whether the old resource goes before its replacement is made."""

    def refusals(self, old: Properties, new: Properties) -> list[CheckFailure]:
        """What is wrong with the inputs, in previews too; inputs may still be unknown.

        Args:
            old: The state, empty for a new resource.
            new: The inputs.
        """
        del old, new
        return []

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Bring it about; returns the resource's id and the state to keep."""
        raise NotImplementedError

    def differences(self, old: Properties, new: Properties) -> set[str]:
        """The names of what is not as the state says."""
        ignored = {*self.outputs, *self.not_compared, _REFERENCE, FINDING}
        changed = {key for key in {*old, *new} - ignored if old.get(key) != new.get(key)}
        return {*changed, FINDING} if new.get(FINDING) else changed

    def replacements(self, old: Properties, new: Properties, changed: set[str]) -> set[str]:
        """Those of the differences that make it another resource."""
        del old, new
        return changed & set(self.replaced_by)

    def keeps_outputs(self, old: Properties, new: Properties) -> bool:
        """Whether an update leaves every output as the state has it; for providers that have
        `leaves_outputs`."""
        return self.differences(old, new) <= set(self.leaves_outputs)

    def change(self, old: Properties, new: Properties) -> Properties:
        """Bring it to what is wanted now; returns the state to keep. By itself as `make` does."""
        del old
        return self.make(new)[1]

    def look(self, state: Properties) -> Properties | None:
        """The state as it is now, for a refresh; None if the thing is gone."""
        return state

    def remove(self, state: Properties) -> None:
        """Take it away; by itself nothing."""

    @final
    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """The SDK's call; see `refusals`."""
        return CheckResult(news, self.refusals(_olds, news))

    @final
    def create(self, props: Properties) -> CreateResult:
        """The SDK's call; see `make`."""
        return CreateResult(*self.make(props))

    @final
    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """The SDK's call; see `differences` and `replacements`."""
        changed = self.differences(_olds, _news)
        return DiffResult(
            changes=bool(changed),
            replaces=sorted(self.replacements(_olds, _news, changed)),
            delete_before_replace=self.deletes_before_replacing,
        )

    @final
    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """The SDK's call; see `change`."""
        return UpdateResult(self.change(_olds, _news))

    @final
    def read(self, id_: str, props: Properties) -> ReadResult:
        """The SDK's call; see `look`."""
        found = self.look(props)
        return ReadResult(None, {}) if found is None else ReadResult(id_, found)

    @final
    def delete(self, _id: str, _props: Properties) -> None:
        """The SDK's call; see `remove`."""
        self.remove(_props)


class DynamicResource(Resource):
    """Base of the resources with such a provider.

    Pulumi's engine knows no output of one that a preview would update, and whatever is made of it
    shows as changed, too. Where the provider says that an update keeps them, a preview has them
    from the state.
    """

    def __init__(
        self,
        provider: DynamicProvider,
        name: str,
        inputs: Mapping[str, Any],
        opts: pulumi.ResourceOptions | None = None,
        secrets: Sequence[str] = (),
    ) -> None:
        """Declare it.

        Args:
            provider: What the state refers to.
            inputs: Everything but what the provider computes.
            secrets: Properties that are secret in the state although no input makes them so.
        """
        hidden = pulumi.ResourceOptions(additional_secret_outputs=list(secrets))
        opts = pulumi.ResourceOptions.merge(opts, hidden) if secrets else opts
        kept: Properties = {}
        # In previews alone, so that no state has the hook.
        is_kept = bool(provider.leaves_outputs) and pulumi.runtime.is_dry_run()
        if is_kept:
            opts = pulumi.ResourceOptions.merge(opts, _keeping(f"{name}-outputs", provider, kept))
        super().__init__(provider, name, {**inputs, **dict.fromkeys(provider.outputs)}, opts)
        for output in provider.outputs if is_kept else ():
            declared: pulumi.Output[Any] = getattr(self, output)
            setattr(self, output, _or_kept(declared, kept, output, is_secret=output in secrets))


def _keeping(name: str, provider: DynamicProvider, kept: Properties) -> pulumi.ResourceOptions:
    """A hook that, before an update, takes the outputs out of the state where it leaves them."""

    async def keep(args: pulumi.ResourceHookArgs) -> None:
        old, new = await _plain(args.old_outputs), await _plain(args.new_inputs)
        if provider.keeps_outputs(old, new):
            kept.update({each: old[each] for each in provider.outputs if each in old})

    hook = pulumi.ResourceHook(name, keep, pulumi.ResourceHookOptions(on_dry_run=True))
    return pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(before_update=[hook]))


async def _plain(props: Mapping[str, Any] | None) -> Properties:
    """The properties without what makes secrets of them; what is not known stays so."""
    found: pulumi.Output[Any] = pulumi.Output.from_input(dict(props or {}))
    return dict(await found.future(with_unknowns=True) or {})


def _or_kept(
    declared: pulumi.Output[Any], kept: Properties, name: str, *, is_secret: bool
) -> pulumi.Output[Any]:
    """The output, or what the state has of it where Pulumi's engine says nothing."""

    async def value() -> Any:
        known = await declared.is_known()
        return await declared.future(with_unknowns=True) if known else kept.get(name)

    async def known() -> bool:
        return await declared.is_known() or kept.get(name) is not None

    async def secret() -> bool:
        return await declared.is_secret() or is_secret

    return pulumi.Output(declared.resources(), value(), known(), secret())
