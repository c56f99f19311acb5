# SPDX-License-Identifier: ISC
"""Reads a manifest's text (libconfig's syntax, as far as docs/compose.md has it) without compose, for
tests of what compose makes of it."""

import re

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[A-Za-z_*][\w*-]*|-?\d\w*|[{}()\[\]=:;,]')
_CLOSING = {"{": "}", "(": ")", "[": "]"}


def read(path):
    """Groups as dictionaries, lists and arrays as lists."""
    tokens = _TOKEN.findall(_text(path))
    tokens.append("}")
    return _group(iter(tokens))


def domains(manifest):
    """Name, servers and priority of each domain; what belongs to a server (`servers`) counts, too."""
    parts = {part["name"]: part for part in manifest.get("servers", ())}
    for domain in manifest["domains"]:
        if isinstance(domain, str):
            domain = {"name": domain, "servers": [domain]}
        most = max(parts.get(server, {}).get("priority", 0) for server in domain["servers"])
        name = domain.get("name", domain["servers"][0])
        yield name, domain["servers"], domain.get("priority", most)


def home(manifest, port):
    """The domain of a connection's end: its first word is a server's name that lives in one domain, or
    else a domain's."""
    first = port.split(".")[0]
    homes = [name for name, servers, _ in domains(manifest) if first in servers]
    return homes[0] if len(homes) == 1 else first


def devices(manifest):
    return [device for part in (*manifest.get("servers", ()), *manifest["domains"])
            if isinstance(part, dict) for device in part.get("devices", ())]


def _text(path):
    """Without comments, with what is included."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if include := re.match(r'\s*@include\s+"(.*)"', line):
            lines.append(_text(path.parent / include[1]))
        else:
            lines.append(re.sub(r"(#|//).*", "", line))
    return "\n".join(lines)


def _group(tokens):
    values = {}
    for token in tokens:
        if token == "}":
            return values
        if token in ";,":
            continue
        assert next(tokens) in "=:"
        values[token] = _value(next(tokens), tokens)
    raise AssertionError("a group has no end")


def _value(token, tokens):
    if token == "{":
        return _group(tokens)
    if token in ("(", "["):
        return _list(_CLOSING[token], tokens)
    if token[0] == '"':
        return token[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if token.lower() in ("true", "false"):
        return token.lower() == "true"
    return int(token.rstrip("L"), 0)


def _list(end, tokens):
    values = []
    for token in tokens:
        if token == end:
            return values
        if token != ",":
            values.append(_value(token, tokens))
    raise AssertionError("a list has no end")
