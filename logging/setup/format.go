package setup

import "fmt"

// Format is how records are written.
type Format uint8

// The formats.
const (
	FormatAuto    Format = iota // FormatConsole on a console, FormatJSON in a file
	FormatJSON                  // logging.EncodeJSON
	FormatText                  // logging.EncodeText
	FormatCLEF                  // logging.EncodeCLEF
	FormatConsole               // logging.NewConsoleEncoder, with Target.Style

	numFormat
)

var formatNames = [numFormat]string{"auto", "json", "text", "clef", "console"}

// String returns the lower-case name.
func (f Format) String() string {
	if f < numFormat {
		return formatNames[f]
	}
	return fmt.Sprintf("Format(%d)", uint8(f))
}
