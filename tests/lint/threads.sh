# a public function for one worker says so to debug builds
. tests/lint/lib.sh

# Functions of include/xsockets/ whose comment, in front or behind, tags them [worker].
tagged() {
    perl -0777 -ne '
        my $before = "";
        while (m!(/\*.*?\*/)|(XS_API[^;{]*?;[^\n]*)!gs) {
            if (defined $1) { $before = $1; next }
            my $call = $2;
            my ($tag) = ($call =~ m{;.*\[(\w+)\]} ? $1 : $before =~ m{.*\[(\w+)\]}s ? $1 : "");
            print "$1\n" if $tag eq "worker" && $call =~ m{(\w+)\(};
        }' include/xsockets/*.h
}

# Those of src/ that begin by asking which thread this is.
asking() {
    perl -0777 -ne 'while (m!^[^\n;{}()]*?\b(xs_\w+)\([^;{}]*?\)\n\{\n(.*?)^\}!gsm) {
        my ($name, $body) = ($1, $2);
        print "$name\n" if $body =~ m{XS_ON_(WORKER|SOME_WORKER)\(};
    }' src/*/*.c
}

# (Those that are still to come stand in awaited.txt.)
comm -23 <(tagged | sort -u) <({ asking; grep '^xs_' tests/lint/awaited.txt; } | sort -u) |
    sed 's/$/: its tag [worker] is not asserted/' | none_may_be_left
