#!/usr/bin/env bash
# Runs tests against an extension built with sanitizers:
#   cmake --preset sanitize && cmake --build --preset sanitize
#   tests/sanitize.sh build/sanitize [pytest arguments]
# Leaks are not looked for: the interpreter itself keeps memory to its end.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd)
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$root/python/escapade" "$work/"
rm -f "$work"/escapade/_core*.so
cp "$build"/_core*.so "$work/escapade/"
# The sanitizer's run-time library must come first in the process; whose it is, the extension knows.
runtime=$(ldd "$work"/escapade/_core*.so | awk '/(asan|tsan)/ { print $3; exit }')
if [ -z "$runtime" ]; then
  kind=asan
  nm -D "$work"/escapade/_core*.so | grep -q __tsan_init && kind=tsan
  runtime=$(ls "$(${CLANGXX:-clang++} --print-resource-dir)"/lib/linux/libclang_rt.$kind-x86_64.so \
    "$(${CLANGXX:-clang++} --print-resource-dir)"/lib/*/libclang_rt.$kind.so 2>/dev/null | head -n 1 || true)
fi
export LD_PRELOAD="$runtime" ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 PYTHONPATH="$work"
cd "$work"
python -m pytest -c "$root/pyproject.toml" --rootdir "$root" -p no:cacheprovider "$@"
