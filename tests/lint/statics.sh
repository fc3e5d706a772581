# a module has nothing writable of its own
. tests/lint/lib.sh

# completed.0, __dso_handle and __TMC_END__ are of the start-up files, __cpu_model and
# __cpu_features2 of the compiler's own library, which fills them before anything of ours runs; the
# others mark sections.
for module in "$build"/modules/*.so; do
    objdump -t "$module" | awk -v module="${module##*/}" '
        match($0, / \.(data|bss|tdata|tbss)[ \t]/) {
            name = $NF
            if (name !~ /^(completed\.[0-9]+|__dso_handle|__TMC_END__|__cpu_model|__cpu_features2|_edata|__bss_start|_end|\.data|\.bss)$/)
                print module ": " name " can be written to, by all workers at the same time"
        }'
done | none_may_be_left
