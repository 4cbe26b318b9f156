"""Compares the document with the clients generated from it.

Generators drop what they cannot express, and rename what clashes, without a word. So every type, every property and
every operation of the document is looked for in what they wrote.

    check_clients.py <openapi.json> <directory with one client a language>
"""

import json
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

METHODS = ("get", "put", "post", "patch", "delete")


class Language:
    """Where a generator writes types and calls, and what they look like."""

    def __init__(self, models, calls, other, declares, wire_name, call, authorised, brings=()):
        self.models, self.calls, self.other, self.brings = models, calls, other, set(brings)
        self.declares = re.compile(declares, re.MULTILINE)
        self.wire_name = re.compile(wire_name)
        # {} is the operation's name; what follows, up to the next call, builds the request.
        self.call = call
        self.authorised = authorised


LANGUAGES = {
    "typescript": Language(
        models="models/*.ts",
        calls="apis/*.ts",
        other="runtime.ts",
        declares=r"^export (?:default |abstract )*(?:interface|type|class|enum) (\w+)",
        wire_name=r"json\['([^']+)'\]",
        call=r"async {}RequestOpts\(",
        authorised="this.configuration.accessToken",
    ),
    "kotlin": Language(
        models="src/main/kotlin/**/models/*.kt",
        calls="src/main/kotlin/**/apis/*.kt",
        other="src/main/kotlin/**/infrastructure/*.kt",
        declares=r"^(?:data |sealed |open |abstract |enum |value )*(?:class|interface|typealias) (\w+)",
        wire_name=r'@SerialName\(value = "([^"]+)"\)',
        call=r'@[A-Z]+\("[^"]*"\)\n(?: +@.*\n)* +suspend fun {}\(',
        # Its client adds the token to every call once it has one.
        authorised="",
    ),
    "swift": Language(
        models="Sources/**/Models/*.swift",
        calls="Sources/**/APIs/*.swift",
        other="Sources/**/Infrastructure/*.swift",
        declares=r"^(?:public |open |internal |final |indirect )*(?:struct|class|enum|protocol|typealias|actor) (\w+)",
        wire_name=r'^        case (?:\w+ = "([^"]+)"|`?(\w+)`?)$',
        call=r"func {}WithRequestBuilder\(",
        authorised="requiresAuthentication: true",
    ),
    "dart": Language(
        models="lib/src/model/*.dart",
        calls="lib/src/api/*.dart",
        other="lib/src/*.dart",
        declares=r"^(?:abstract |sealed |base |final )*(?:class|enum|mixin|typedef) ([A-Za-z]\w*)",
        wire_name=r"yield r'([^']+)';",
        call=r"Future<Response<.*>> {}\(",
        authorised="'scheme': 'bearer'",
        # A day without a time, which Dart has not got.
        brings={"Date"},
    ),
}


def camel(name):
    """How every generator spells an operation: list_sessions is listSessions."""
    first, *rest = re.split(r"[_\-]", name)
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


class Document:
    """What the document promises."""

    def __init__(self, path):
        self.text = json.loads(Path(path).read_text())
        self.schemas = self.text["components"]["schemas"]
        # A schema without properties of its own is a word for a string, a number or a map: it needs no type.
        self.types = {name: self.properties(name) for name in self.schemas if self.is_type(name)}

    def is_type(self, name):
        schema = self.schemas[name]
        return "properties" in schema or any(word in schema for word in ("oneOf", "anyOf", "allOf"))

    def named(self, schema):
        """The types that a schema names, at any depth."""
        if isinstance(schema, list):
            return set().union(*map(self.named, schema)) if schema else set()
        if not isinstance(schema, dict):
            return set()
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[-1]
            return {name} if name in self.schemas and self.is_type(name) else set()
        return set().union(*map(self.named, schema.values())) if schema else set()

    def properties(self, name):
        """Wire name of each property, with the types it names."""
        return self._properties(self.schemas[name])

    def _properties(self, schema):
        if "$ref" in schema:
            return self.properties(schema["$ref"].rsplit("/", 1)[-1])
        found = {name: self.named(of) for name, of in schema.get("properties", {}).items()}
        for part in schema.get("allOf", []):
            found |= self._properties(part)
        return found

    def operations(self):
        """Id, path, names of query and header parameters, whether a token is needed."""
        for path, item in self.text["paths"].items():
            for method in METHODS:
                if operation := item.get(method):
                    parameters = [self.follow(p) for p in item.get("parameters", []) + operation.get("parameters", [])]
                    sent = [p["name"] for p in parameters if p["in"] in ("query", "header")]
                    security = operation.get("security", self.text.get("security", []))
                    yield operation["operationId"], path, sent, any(security)

    def follow(self, node):
        while "$ref" in node:
            found = self.text
            for step in node["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            node = found
        return node


def unfit(node, path="#"):
    """Places that generators of apps are known to drop or to merge, Apple's among them, which cannot be run here."""
    if isinstance(node, list):
        for nth, of in enumerate(node):
            yield from unfit(of, f"{path}/{nth}")
    elif isinstance(node, dict):
        for word in ("oneOf", "anyOf"):
            parts = node.get(word, [])
            if any(part.get("type") == "null" for part in parts):
                yield f"{path}: a reference beside null is dropped"
            elif parts and "discriminator" not in node:
                yield f"{path}: a union without a discriminator is merged"
        for name, of in node.items():
            yield from unfit(of, f"{path}/{name}")


def matches(pattern, text):
    return {next(filter(None, found.groups())) for found in pattern.finditer(text)}


def keys(language, name, text):
    if name == "swift":
        # A CodingKeys holds the names on the wire; other enums of the file do not.
        text = "\n".join(re.findall(r"enum CodingKeys.*?\n    }", text, re.DOTALL))
        return matches(re.compile(language.wire_name.pattern, re.MULTILINE), text)
    return matches(language.wire_name, text)


def compare(name, language, document, root):
    """What is wrong with one client, in words."""
    declared, bodies = defaultdict(list), {}
    for kind in ("models", "calls", "other"):
        for file in sorted(root.glob(getattr(language, kind))):
            text = file.read_text()
            for found in language.declares.findall(text):
                declared[found].append(kind)
                if kind == "models":
                    bodies[found] = text
    models = {found for found, kinds in declared.items() if "models" in kinds}
    if not models:
        yield f"nothing was generated under {root}"
        return

    unions = {name for name in document.types if "oneOf" in document.schemas[name] or "anyOf" in document.schemas[name]}
    for schema, properties in sorted(document.types.items()):
        body = bodies.get(schema)
        if body is None:
            yield f"{schema}: there is no type of this name"
            continue
        written = keys(language, name, body)
        for wire, types in sorted(properties.items()):
            if wire not in written:
                yield f"{schema}.{wire}: the property is gone"
            for other in sorted(types):
                if not re.search(rf"\b{other}\b", body):
                    yield f"{schema}.{wire}: it is no {other} any more"
        if schema in unions:
            for other in sorted(document.named(document.schemas[schema])):
                if not re.search(rf"\b{other}\b", body):
                    yield f"{schema}: the union has lost {other}"
    for extra in sorted(models - set(document.types) - language.brings):
        yield f"{extra}: a type that no schema is called, so that apps would depend on a name the generator made up"

    spelt = Counter(found.lower() for found in declared)
    for found, kinds in sorted(declared.items()):
        if len(kinds) > 1 or spelt[found.lower()] > 1:
            yield f"{found}: several types share this name ({', '.join(kinds)})"

    calls = {file: file.read_text() for file in sorted(root.glob(language.calls))}
    start = re.compile(language.call.format(r"(\w+)"))
    blocks = {}
    for text in calls.values():
        found = list(start.finditer(text))
        for this, after in zip(found, found[1:] + [None]):
            if this[1] in blocks:
                yield f"{this[1]}: several calls share this name"
            blocks[this[1]] = text[this.start() : after.start() if after else len(text)]
    for operation, path, sent, needs_token in document.operations():
        block = blocks.pop(camel(operation), None)
        if block is None:
            yield f"{operation}: there is no such call"
            continue
        if not re.search(rf"""['"`/]{re.escape(path[1:])}['"`]""", block):
            yield f"{operation}: the call does not go to {path}"
        for parameter in sent:
            if not re.search(rf"""['"]{re.escape(parameter)}['"]""", block):
                yield f"{operation}: the parameter {parameter} is gone"
        if needs_token and language.authorised not in block:
            yield f"{operation}: the call sends no token"
    for extra in sorted(blocks):
        yield f"{extra}: a call that no operation is called"


def main(document, clients):
    document = Document(document)
    complaints = list(unfit(document.text))
    print(*complaints, sep="\n", end="\n" if complaints else "")
    wrong = len(complaints)
    for name, language in LANGUAGES.items():
        complaints = list(compare(name, language, document, Path(clients) / name))
        for complaint in complaints:
            print(f"{name}: {complaint}")
        wrong += len(complaints)
    properties = sum(map(len, document.types.values()))
    calls = len(list(document.operations()))
    print(f"{calls} operations, {len(document.types)} types, {properties} properties in {len(LANGUAGES)} languages: {wrong} complaints")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
