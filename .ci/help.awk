# Lists a Makefile's targets with what stands behind their ##, in lines of at most `width` columns (0: of any length).
# An example at the end stays on one line, so that it can be copied.
BEGIN { FS = ":.*## "; indent = 19; spaces = sprintf("%60s", "") }
/^[a-z-]+:.*## / {
    line = sprintf("make %-13s", $1)
    if (!width || length(line) + 1 + length($2) <= width) {
        print line " " $2
        next
    }
    example = index($2, ": make ")
    text = example ? substr($2, 1, example) : $2
    count = split(text, words, " ")
    for (i = 1; i <= count; i++) {
        if (i > 1 && length(line) + 1 + length(words[i]) > width) {
            print line
            line = substr(spaces, 1, indent - 1)
        }
        line = line " " words[i]
    }
    print line
    if (example) {
        command = substr($2, example + 2)
        room = width - length(command)
        print substr(spaces, 1, room > indent ? indent : room > 0 ? room : 0) command
    }
}
