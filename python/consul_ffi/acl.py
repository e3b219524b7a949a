"""Access control: `client.acl`. Tokens, policies and roles are dicts with Consul's names:

    policy = client.acl.policy_create({"Name": "app", "Rules": rules})
    token = client.acl.token_create({"Policies": [{"Name": "app"}]})
    app = consul_ffi.Client(token=token["SecretID"])

A read of something that does not exist gives None; for tokens and policies Consul 1.8 raises Denied
with "ACL not found" instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional

from ._answers import take_json, take_json_or_none
from ._convert import json_text, optional_text, text
from ._core import Core
from ._library import lib
from ._outcome import nothing

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._settings import CallOptions


class Acl:
    """Makes, reads, changes and deletes tokens, policies and roles. A token needs the right
    `acl`."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def bootstrap(self, **options: Unpack[CallOptions]) -> Dict[str, Any]:
        """Makes the first token, which may do anything. It works once in the life of a cluster:
        Denied after that."""
        return self._core.ask(take_json, lib.consul_acl_bootstrap, options)

    def token_create(
        self, definition: Mapping[str, Any], **options: Unpack[CallOptions]
    ) -> Dict[str, Any]:
        """Makes a token; gives it with its `AccessorID` and `SecretID`."""
        arguments = json_text(definition, "definition")
        return self._core.ask(take_json, lib.consul_acl_token_create, options, arguments)

    def token_read(self, accessor_id: str, **options: Unpack[CallOptions]) -> Optional[Dict[str, Any]]:
        """Reads a token by its accessor id; None when it does not exist."""
        arguments = text(accessor_id, "accessor_id")
        return self._core.ask(take_json_or_none, lib.consul_acl_token_read, options, arguments)

    def token_self(self, **options: Unpack[CallOptions]) -> Dict[str, Any]:
        """Reads the token that the client or the options have."""
        return self._core.ask(take_json, lib.consul_acl_token_self, options)

    def token_update(
        self, accessor_id: str, definition: Mapping[str, Any], **options: Unpack[CallOptions]
    ) -> Dict[str, Any]:
        """Replaces a token: what is not there is empty after that."""
        arguments = text(accessor_id, "accessor_id"), json_text(definition, "definition")
        return self._core.ask(take_json, lib.consul_acl_token_update, options, *arguments)

    def token_clone(
        self,
        accessor_id: str,
        description: Optional[str] = None,
        **options: Unpack[CallOptions],
    ) -> Dict[str, Any]:
        """Makes a token with the policies and roles of another one."""
        arguments = text(accessor_id, "accessor_id"), optional_text(description, "description")
        return self._core.ask(take_json, lib.consul_acl_token_clone, options, *arguments)

    def token_delete(self, accessor_id: str, **options: Unpack[CallOptions]) -> None:
        """Deletes a token, which need not exist."""
        arguments = text(accessor_id, "accessor_id")
        return self._core.do(nothing, lib.consul_acl_token_delete, options, arguments)

    def token_list(
        self,
        policy_id: Optional[str] = None,
        role_id: Optional[str] = None,
        auth_method: Optional[str] = None,
        **options: Unpack[CallOptions],
    ) -> List[Dict[str, Any]]:
        """Lists the tokens, or those of them that have this policy, this role and come from this
        auth method."""
        filters = {"policy_id": policy_id, "role_id": role_id, "auth_method": auth_method}
        arguments = [optional_text(value, name) for name, value in filters.items()]
        return self._core.ask(take_json, lib.consul_acl_token_list, options, *arguments)

    def policy_create(
        self, definition: Mapping[str, Any], **options: Unpack[CallOptions]
    ) -> Dict[str, Any]:
        """Makes a policy; gives it with its `ID`."""
        arguments = json_text(definition, "definition")
        return self._core.ask(take_json, lib.consul_acl_policy_create, options, arguments)

    def policy_read(self, id: str, **options: Unpack[CallOptions]) -> Optional[Dict[str, Any]]:
        """Reads a policy by its id; None when it does not exist."""
        arguments = text(id, "id")
        return self._core.ask(take_json_or_none, lib.consul_acl_policy_read, options, arguments)

    def policy_read_by_name(
        self, name: str, **options: Unpack[CallOptions]
    ) -> Optional[Dict[str, Any]]:
        """Reads a policy by its name; None when it does not exist."""
        read = lib.consul_acl_policy_read_by_name
        return self._core.ask(take_json_or_none, read, options, text(name, "name"))

    def policy_update(
        self, id: str, definition: Mapping[str, Any], **options: Unpack[CallOptions]
    ) -> Dict[str, Any]:
        """Replaces a policy: what is not there is empty after that."""
        arguments = text(id, "id"), json_text(definition, "definition")
        return self._core.ask(take_json, lib.consul_acl_policy_update, options, *arguments)

    def policy_delete(self, id: str, **options: Unpack[CallOptions]) -> None:
        """Deletes a policy, which need not exist."""
        arguments = text(id, "id")
        return self._core.do(nothing, lib.consul_acl_policy_delete, options, arguments)

    def policy_list(self, **options: Unpack[CallOptions]) -> List[Dict[str, Any]]:
        """Lists the policies, without their rules."""
        return self._core.ask(take_json, lib.consul_acl_policy_list, options)

    def role_create(
        self, definition: Mapping[str, Any], **options: Unpack[CallOptions]
    ) -> Dict[str, Any]:
        """Makes a role; gives it with its `ID`."""
        arguments = json_text(definition, "definition")
        return self._core.ask(take_json, lib.consul_acl_role_create, options, arguments)

    def role_read(self, id: str, **options: Unpack[CallOptions]) -> Optional[Dict[str, Any]]:
        """Reads a role by its id; None when it does not exist."""
        arguments = text(id, "id")
        return self._core.ask(take_json_or_none, lib.consul_acl_role_read, options, arguments)

    def role_read_by_name(
        self, name: str, **options: Unpack[CallOptions]
    ) -> Optional[Dict[str, Any]]:
        """Reads a role by its name; None when it does not exist."""
        read = lib.consul_acl_role_read_by_name
        return self._core.ask(take_json_or_none, read, options, text(name, "name"))

    def role_update(
        self, id: str, definition: Mapping[str, Any], **options: Unpack[CallOptions]
    ) -> Dict[str, Any]:
        """Replaces a role: what is not there is empty after that."""
        arguments = text(id, "id"), json_text(definition, "definition")
        return self._core.ask(take_json, lib.consul_acl_role_update, options, *arguments)

    def role_delete(self, id: str, **options: Unpack[CallOptions]) -> None:
        """Deletes a role, which need not exist."""
        arguments = text(id, "id")
        return self._core.do(nothing, lib.consul_acl_role_delete, options, arguments)

    def role_list(self, **options: Unpack[CallOptions]) -> List[Dict[str, Any]]:
        """Lists the roles."""
        return self._core.ask(take_json, lib.consul_acl_role_list, options)

    def auth_method_create(
        self, definition: Mapping[str, Any], **options: Unpack[CallOptions]
    ) -> Dict[str, Any]:
        """Makes an auth method; gives it as Consul has it."""
        arguments = json_text(definition, "definition")
        return self._core.ask(take_json, lib.consul_acl_auth_method_create, options, arguments)

    def auth_method_read(
        self, name: str, **options: Unpack[CallOptions]
    ) -> Optional[Dict[str, Any]]:
        """Reads an auth method by its name; None when it does not exist."""
        read = lib.consul_acl_auth_method_read
        return self._core.ask(take_json_or_none, read, options, text(name, "name"))

    def auth_method_update(
        self, name: str, definition: Mapping[str, Any], **options: Unpack[CallOptions]
    ) -> Dict[str, Any]:
        """Replaces an auth method: what is not there is empty after that."""
        arguments = text(name, "name"), json_text(definition, "definition")
        return self._core.ask(take_json, lib.consul_acl_auth_method_update, options, *arguments)

    def auth_method_delete(self, name: str, **options: Unpack[CallOptions]) -> None:
        """Deletes an auth method, which need not exist."""
        arguments = text(name, "name")
        return self._core.do(nothing, lib.consul_acl_auth_method_delete, options, arguments)

    def binding_rule_create(
        self, definition: Mapping[str, Any], **options: Unpack[CallOptions]
    ) -> Dict[str, Any]:
        """Makes a binding rule; gives it as Consul has it."""
        arguments = json_text(definition, "definition")
        return self._core.ask(take_json, lib.consul_acl_binding_rule_create, options, arguments)

    def binding_rule_read(
        self, id: str, **options: Unpack[CallOptions]
    ) -> Optional[Dict[str, Any]]:
        """Reads a binding rule by its id; None when it does not exist."""
        read = lib.consul_acl_binding_rule_read
        return self._core.ask(take_json_or_none, read, options, text(id, "id"))

    def binding_rule_update(
        self, id: str, definition: Mapping[str, Any], **options: Unpack[CallOptions]
    ) -> Dict[str, Any]:
        """Replaces a binding rule: what is not there is empty after that."""
        arguments = text(id, "id"), json_text(definition, "definition")
        return self._core.ask(take_json, lib.consul_acl_binding_rule_update, options, *arguments)

    def binding_rule_delete(self, id: str, **options: Unpack[CallOptions]) -> None:
        """Deletes a binding rule, which need not exist."""
        arguments = text(id, "id")
        return self._core.do(nothing, lib.consul_acl_binding_rule_delete, options, arguments)

    def auth_method_list(self, **options: Unpack[CallOptions]) -> List[Dict[str, Any]]:
        """Lists the auth methods, without their configuration."""
        return self._core.ask(take_json, lib.consul_acl_auth_method_list, options)

    def binding_rule_list(
        self, auth_method: Optional[str] = None, **options: Unpack[CallOptions]
    ) -> List[Dict[str, Any]]:
        """Lists the binding rules, or those of one auth method."""
        arguments = optional_text(auth_method, "auth_method")
        return self._core.ask(take_json, lib.consul_acl_binding_rule_list, options, arguments)

    def login(
        self, auth_method: str, bearer_token: str, **options: Unpack[CallOptions]
    ) -> Dict[str, Any]:
        """Logs in by an auth method with what proves who the caller is, such as a JWT. Gives a
        token, which ends with `logout`. It needs no token itself."""
        arguments = text(auth_method, "auth_method"), text(bearer_token, "bearer_token")
        return self._core.ask(take_json, lib.consul_acl_login, options, *arguments)

    def logout(self, **options: Unpack[CallOptions]) -> None:
        """Ends the token that the client or the options have, which must come from a login."""
        return self._core.do(nothing, lib.consul_acl_logout, options)
