import Application
import Domain
import PostgresClient
import Synchronization

/// Commits audit rows of what one connection does beside the command path, by a chain of its own.
final class AuditTrail: Sendable {
  private let chain = Mutex(AuditChain(id: .fresh()))

  var chainID: UUIDValue { chain.withLock { $0.id } }

  /// Writes the rows and commits the transaction that is open.
  func commit(_ entries: [AuditEntry], _ session: PostgresSession) throws(PostgresError) {
    let chain = chain.withLock { $0 }
    let (extended, links) = chain.extended(by: entries)
    do {
      _ = try session.pipeline { pipeline in
        if !entries.isEmpty { AuditRows.append(entries, links, of: extended, to: &pipeline) }
        pipeline.append(.commit)
      }
    } catch {
      // Whether the rows are there may be unknown: what comes next begins a chain of its own.
      self.chain.withLock { $0 = AuditChain(id: .fresh()) }
      throw error
    }
    self.chain.withLock { $0 = extended }
  }
}
