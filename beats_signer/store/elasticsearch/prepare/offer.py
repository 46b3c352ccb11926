"""Find out what a server has: the smallest one and a serverless one lack parts."""

from dataclasses import dataclass
from typing import Final

from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.prepare.administering import ask, check_answer

__all__ = ["Offer", "ask_offer"]

_POLICY_PATH: Final = "/_ilm/policy/beats-signer-never"
_ROLE_PATH: Final = "/_security/role/beats-signer-signer"
_NO_SUCH_API: Final = (400, 405, 410)
"""No handler; not with this method; not in a serverless project."""
_FAILURE_STORE_SINCE: Final = {8: 19, 9: 1}
"""First minor version, of each major, that knows the privilege to read them."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a server offers. The default is what a full one does."""

    has_policies: bool = True
    has_roles: bool = True
    has_failure_store: bool = True


async def ask_offer(client: Client) -> Offer:
    """Return what the server offers.

    Raises:
        RefusedError: It does not tell us.
        StoreError: It does not answer, or has no time now.
    """
    told = (await ask(client, "GET", "/"))["version"]
    major, minor = map(int, told["number"].split(".")[:2])
    is_new = minor >= _FAILURE_STORE_SINCE.get(major, 0 if major > 9 else minor + 1)
    return Offer(
        has_policies=await _has(client, _POLICY_PATH),
        has_roles=await _has(client, _ROLE_PATH),
        has_failure_store=is_new or told.get("build_flavor") == "serverless",
    )


async def _has(client: Client, path: str) -> bool:
    """Tell whether the server has an API at all, whatever it says of the name.

    Only a word about the API itself says that it does not: a server that has no
    time now still has it.
    """
    answer = await client.request("GET", path)
    if answer.status in _NO_SUCH_API:
        return False
    if answer.status != 404:
        check_answer(answer, f"GET {path}")
    return True
