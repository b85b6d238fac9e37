"""When ValidatingAdmissionPolicies hold: the API server takes them up a second after they are made.

One that was removed goes on denying as long. Neither is told anywhere, so a policy of the lab's own
is made after them, and seen to deny.
"""

import itertools

from lab.identity import Identity, RefusedError
from lab.namespace import LabError
from lab.rsyslog import eventually

KEYS = b"/registry/validatingadmissionpolic"  # policies and their bindings, in etcd
_PATH = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic"
_numbers = itertools.count()


def wait_until_policies_hold(admin: Identity) -> None:
    """Return when the policies that there are now hold, and those that were removed don't."""
    name = f"lab-marker-{next(_numbers)}"  # a new one each time: the last one may still deny
    rule = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["resourcequotas"],  # which no policy of a test is about
        "resourceNames": [name],
    }
    spec = {"matchConstraints": {"resourceRules": [rule]}, "validations": [{"expression": "false"}]}
    admin.call("POST", f"{_PATH}ies", {"metadata": {"name": name}, "spec": spec})
    binding = {"policyName": name, "validationActions": ["Deny"]}
    admin.call("POST", f"{_PATH}ybindings", {"metadata": {"name": name}, "spec": binding})
    if not eventually(lambda: _denied(admin, name), 20):
        raise LabError("a ValidatingAdmissionPolicy does not hold after 20 s")
    for kind in ("ies", "ybindings"):
        admin.call("DELETE", f"{_PATH}{kind}/{name}")


def _denied(admin: Identity, name: str) -> bool:
    path = "/api/v1/namespaces/default/resourcequotas?dryRun=All"
    try:
        admin.call("POST", path, {"metadata": {"name": name}})
    except RefusedError as error:
        return name in error.message.partition(" is forbidden: ")[2]
    return False
