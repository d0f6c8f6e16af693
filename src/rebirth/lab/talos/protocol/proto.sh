#!/bin/sh
# Makes machine_pb2.py and machine_pb2.pyi out of machine.proto; needs grpcio-tools. What it makes is checked in.
set -eu
cd "$(dirname "$0")"
python3 -m grpc_tools.protoc -I. --python_out=. --pyi_out=. machine.proto
# The generator's stubs are not strict: fields named like types, bare generics.
printf '# mypy: ignore-errors\n%s\n' "$(cat machine_pb2.pyi)" > machine_pb2.pyi
