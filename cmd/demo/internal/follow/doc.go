// Package follow reads files that grow, and knows them again when they are
// rotated, also while nobody was looking.
//
// A [Set] looks at its files when it is told to; it has no goroutine, no timer
// and no clock of its own. What it reads comes out as lines, in the order of
// each file.
//
// Two ways of rotation are followed. A file that is renamed, and another made
// in its place, is read to its end before the new one is begun: the old one has
// ended when the new one is not empty and nothing more can be read from the
// old. A file that is copied and then cut to nothing is gone on with in the
// copy, also if the copy holds less than was read. Files that were rotated
// between two looks, however many, are read from their siblings: app.log.2
// before app.log.1 before app.log, and app.log-20060102 or app-20060102.log
// before those of later names. Compressed siblings are not read.
//
// A file is known by its device and inode, and by a hash of its first and of
// its last bytes before the place that was reached. An inode that is used again
// for other content, or a file of one name with other content, is another file.
//
// Nothing holds the files still while they are looked at. So whatever is
// concluded from a family, the file at a path and its siblings, is acted on in
// three steps: the family is met, something is opened or read, and the family
// is met again. If it is not the same, what was opened or read is given up, and
// the next look begins anew.
package follow
