// Package serve shows experiments of package lab on a page in the browser, and
// lets it turn their knobs.
//
// A [Server] owns one experiment at a time. It does nothing of its own while
// nobody looks: figures are read when a stream is to be sent some, and what the
// page draws of the past it has kept itself. Everything the page needs is
// embedded, and it asks no other address.
//
// Who may talk to it: the page it has served, and programs that are no browsers.
// Requests by other sites' pages are refused by their origin, and names that
// somebody else's name server points at this machine by the Host header.
package serve
