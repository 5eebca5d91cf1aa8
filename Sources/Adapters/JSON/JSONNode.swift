/// A value's place in a `JSONDocument`: plain numbers, so that handing one on costs nothing.
package struct JSONNode: Sendable {
  package enum Kind: UInt8, Sendable { case object, array, string, number, yes, no, null }

  package let kind: Kind
  /// Of a string: its bytes need unescaping.
  let hasEscapes: Bool
  /// The value's bytes: a string's without its quotes, a container's with its brackets.
  let start: Int32
  var end: Int32
  /// The node's own number; a container's first child comes directly after it.
  let index: Int32
  /// The number of the first node that is not inside this one.
  var next: Int32
  /// Elements of an array, members of an object (each a name and a value).
  package var count: Int32 = 0

  var range: Range<Int> { Int(start)..<Int(end) }
}
