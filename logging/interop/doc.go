// Package interop is empty. Its tests show that loggers of others write
// through penstock: the standard library's log, zerolog and zap. It is a module
// of its own so that whoever imports penstock does not depend on them.
package interop
