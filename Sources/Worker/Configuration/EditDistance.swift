/// How many letters must be inserted, deleted or replaced to turn one word into another (Levenshtein).
enum EditDistance {
  static func between(_ a: String, _ b: String) -> Int {
    let b = Array(b.utf8)
    var previous = Array(0...b.count)
    for (i, letter) in a.utf8.enumerated() {
      var current = [i + 1]
      for (j, other) in b.enumerated() { current.append(min(previous[j] + (letter == other ? 0 : 1), previous[j + 1] + 1, current[j] + 1)) }
      previous = current
    }
    return previous[b.count]
  }
}
