package logging

import (
	"context"
	"log/slog"
)

// Verbose logs at [LevelVerbose].
func (l *Logger) Verbose(template string, args ...any) {
	l.log(context.Background(), LevelVerbose, template, args)
}

// Debug logs at [LevelDebug].
func (l *Logger) Debug(template string, args ...any) {
	l.log(context.Background(), LevelDebug, template, args)
}

// Information logs at [LevelInformation].
func (l *Logger) Information(template string, args ...any) {
	l.log(context.Background(), LevelInformation, template, args)
}

// Warning logs at [LevelWarning].
func (l *Logger) Warning(template string, args ...any) {
	l.log(context.Background(), LevelWarning, template, args)
}

// Error logs at [LevelError].
func (l *Logger) Error(template string, args ...any) {
	l.log(context.Background(), LevelError, template, args)
}

// Fatal logs at [LevelFatal] and calls LoggerConfig.OnFatal. It does not end
// the program.
func (l *Logger) Fatal(template string, args ...any) {
	l.log(context.Background(), LevelFatal, template, args)
	l.fatal()
}

// VerboseContext is Verbose with a context for the handler.
func (l *Logger) VerboseContext(ctx context.Context, template string, args ...any) {
	l.log(ctx, LevelVerbose, template, args)
}

// DebugContext is Debug with a context for the handler.
func (l *Logger) DebugContext(ctx context.Context, template string, args ...any) {
	l.log(ctx, LevelDebug, template, args)
}

// InformationContext is Information with a context for the handler.
func (l *Logger) InformationContext(ctx context.Context, template string, args ...any) {
	l.log(ctx, LevelInformation, template, args)
}

// WarningContext is Warning with a context for the handler.
func (l *Logger) WarningContext(ctx context.Context, template string, args ...any) {
	l.log(ctx, LevelWarning, template, args)
}

// ErrorContext is Error with a context for the handler.
func (l *Logger) ErrorContext(ctx context.Context, template string, args ...any) {
	l.log(ctx, LevelError, template, args)
}

// FatalContext is Fatal with a context for the handler.
func (l *Logger) FatalContext(ctx context.Context, template string, args ...any) {
	l.log(ctx, LevelFatal, template, args)
	l.fatal()
}

// Log logs at a level of the caller's choice, [LevelFatal] included, and never
// calls OnFatal.
func (l *Logger) Log(ctx context.Context, level slog.Level, template string, args ...any) {
	l.log(ctx, level, template, args)
}

func (l *Logger) fatal() {
	if l.cfg.OnFatal != nil {
		l.cfg.OnFatal()
	}
}
