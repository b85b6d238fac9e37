#!/usr/bin/env bash
# Runs each fuzz target for so many seconds: `run.sh CACHE SECONDS [TARGET...]`.
#
# On stable Rust, which has no sanitizers: the core is safe Rust, so what can go wrong is a panic or a
# wrong answer. Comparisons are not traced, which would cost most of the speed; the mutator
# knows the words instead.
set -euo pipefail

cache=$1
seconds=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(line chunks summary evidence)

export PATH=$cache/tools/bin:$PATH
# The flags are other than those of the core's own build.
export CARGO_TARGET_DIR=$cache/cargo-fuzz
python3 "$here/corpus.py" "$cache/corpus"
cd "$here/.."
for target in "${targets[@]}"; do
    echo "== fuzzing $target for $seconds s"
    found=$cache/found/$target
    mkdir -p "$found" "$cache/none"
    regressions=$here/regressions/$target
    [ -d "$regressions" ] || regressions=$cache/none
    log=$cache/$target.log
    # Two of the longest lines that the kernel writes; streams have more of them.
    longest=2048
    [ "$target" != line ] || longest=768
    if ! cargo fuzz run --fuzz-dir fuzz --sanitizer none --no-trace-compares "$target" \
        "$cache/corpus/$target" "$regressions" -- \
        -artifact_prefix="$found/" -max_total_time="$seconds" -max_len="$longest" -print_final_stats=1 \
        >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        echo "$target failed; the input is the newest file in $found" >&2
        echo "Once it is mended, keep the input: copy it to rust/fuzz/regressions/$target/, named by what it shows." >&2
        echo "cargo test replays that folder. (The whole log: $log)" >&2
        exit 1
    fi
    grep -E '^stat::(number_of_executed_units|average_exec_per_sec)' "$log"
done
