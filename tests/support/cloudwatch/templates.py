"""CloudFormation's references, resolved to the names that a deployment would have."""

from collections.abc import Callable, Mapping
from typing import Any, Final

REGION: Final = "eu-west-1"
ACCOUNT: Final = "123456789012"


class Resolver:
    """Resolves the intrinsic functions that stand in an alarm.

    Parameters
    ----------
    resources
        The template's resources, by logical id.
    """

    def __init__(self, resources: Mapping[str, Any]) -> None:
        self._resources = resources
        self._functions: Mapping[str, Callable[[Any], Any]] = {
            "Ref": self.reference,
            "Fn::Join": lambda given: given[0].join(self.resolve(given[1])),
            "Fn::Select": lambda given: self.resolve(given[1])[int(given[0])],
            "Fn::Split": lambda given: self.resolve(given[1]).split(given[0]),
            "Fn::GetAtt": ".".join,
            # Only the addresses of assets contain it, and no alarm depends on those.
            "Fn::Sub": str,
        }

    def resolve(self, value: Any) -> Any:
        """Replace every intrinsic function within a value."""
        if isinstance(value, list):
            return [self.resolve(each) for each in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name in self._functions:
                return self._functions[name](argument)
        return {name: self.resolve(each) for name, each in value.items()}

    def reference(self, name: str) -> str:
        """What `Ref` gives: an ARN for an alias or a version, otherwise a name."""
        properties = self._resources.get(name, {}).get("Properties", {})
        match self._resources.get(name, {}).get("Type"):
            case "AWS::Lambda::Alias":
                return f"{self._function_arn(properties)}:{properties['Name']}"
            case "AWS::Lambda::Version":
                return f"{self._function_arn(properties)}:1"
        return {"AWS::Region": REGION, "AWS::AccountId": ACCOUNT}.get(name, name)

    def _function_arn(self, properties: Mapping[str, Any]) -> str:
        function = self.resolve(properties["FunctionName"])
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"
