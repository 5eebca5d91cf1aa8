/// What was published on one channel and waits for its confirm, in the order of delivery tags.
struct UnconfirmedPublications {
  struct Entry {
    let job: PublishJob
    let index: Int
    /// Where its bytes begin and end in what the connection writes.
    let start: UInt64
    let end: UInt64

    var publication: Publication { job.batch[index] }
  }

  /// `entries[i]` has the tag `firstTag + i`; nil is settled.
  private var entries: [Entry?] = []
  private var head = 0
  private var firstTag: UInt64 = 1

  var isEmpty: Bool { head == entries.count }

  mutating func append(_ entry: Entry) { entries.append(entry) }

  /// How many it settled.
  @discardableResult
  mutating func settle(_ tag: UInt64, multiple: Bool, _ outcome: PublishOutcome) -> Int {
    // A tag of 0 with `multiple` means all.
    let last = tag == 0 && multiple ? entries.count - 1 : tag >= firstTag ? Int(clamping: tag - firstTag) : -1
    guard last >= head, last < entries.count else { return 0 }
    var count = 0
    for i in (multiple ? head : last)...last {
      guard let entry = entries[i] else { continue }
      entries[i] = nil
      entry.job.settle(entry.index, outcome)
      count += 1
    }
    forgetSettled()
    return count
  }

  /// Those of jobs that are answered are let go of; their tags still count.
  mutating func forgetAnswered() {
    for i in head..<entries.count where entries[i]?.job.isDone == true { entries[i] = nil }
    forgetSettled()
  }

  /// A returned message comes without its tag, and before its ack: it is the oldest one that looks like it.
  func settleReturned(_ outcome: PublishOutcome, exchange: String, routingKey: String, messageID: String?) {
    for entry in entries[head...] {
      guard let entry, entry.publication.mandatory, entry.publication.routingKey == routingKey, entry.publication.exchange == exchange,
        entry.publication.properties.messageID == messageID, entry.job.settle(entry.index, outcome)
      else { continue }
      return
    }
  }

  /// Without confirms: what the kernel has taken is done.
  mutating func settleWritten(_ written: UInt64) {
    while head < entries.count {
      // One that is nil was answered before.
      if let entry = entries[head] {
        guard entry.end <= written else { break }
        entries[head] = nil
        entry.job.settle(entry.index, .confirmed)
      }
      head += 1
    }
    forgetSettled()
  }

  /// All that is open; what comes next has the tags of a new channel.
  mutating func takeAll() -> [Entry] {
    defer { self = UnconfirmedPublications() }
    return entries[head...].compactMap { $0 }
  }

  private mutating func forgetSettled() {
    while head < entries.count, entries[head] == nil { head += 1 }
    guard head > 4_096 || head == entries.count else { return }
    firstTag += UInt64(head)
    entries.removeFirst(head)
    head = 0
  }
}
