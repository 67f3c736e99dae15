package sinks

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// EncodeText is an encoder of events for [LetterEncoder] that keeps every
// byte: text is a JSON string, what is not UTF-8 is {"base64":"…"}. See
// [DecodeText].
func EncodeText[T ~string | ~[]byte](dst []byte, ev T) ([]byte, error) {
	if text := string(ev); utf8.ValidString(text) {
		return appendJSON(dst, text)
	}
	dst = append(dst, `{"base64":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, []byte(ev))
	return append(dst, `"}`...), nil
}

// DecodeText is the [Decoder] for what [EncodeText] has encoded.
func DecodeText[T ~string | ~[]byte](data []byte) (T, error) {
	if len(data) > 0 && data[0] == '"' {
		var text string
		err := json.Unmarshal(data, &text)
		return T(text), err
	}
	var other struct {
		Base64 *[]byte `json:"base64"`
	}
	err := json.Unmarshal(data, &other)
	if err == nil && other.Base64 == nil {
		err = errors.New("neither a string nor base64")
	}
	if err != nil {
		var none T
		return none, err
	}
	return T(*other.Base64), nil
}
