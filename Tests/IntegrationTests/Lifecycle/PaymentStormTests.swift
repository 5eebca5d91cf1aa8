import Foundation
import TestSupport
import Testing

/// No order is charged twice, whatever the provider does and whoever dies meanwhile.
///
/// `PAYMENT_ORDERS` says how many; the seed repeats a run's methods, amounts and victims.
@Suite(.serialized) struct PaymentStormTests {
  private static let orders = ProcessInfo.processInfo.environment["PAYMENT_ORDERS"].flatMap(Int.init) ?? 300

  @Test(.timeLimit(.minutes(20))) func ledgerPaymentsAndOrdersAgreeThoughWorkersAreKilledAndTheProviderFails() async throws {
    let sandbox = try await PaymentSandbox.start()
    let world = try await ProductWorld.make(PaymentStorm.settings(sandbox))
    let upstream = try await Upstream(world)
    let seed = SeededGenerator.forTest("payment storm").seed
    let kills = max(6, Self.orders / 250)
    let differences = try await PaymentStorm(upstream, sandbox, orders: Self.orders, seed: seed).differences(kills: kills)
    #expect(differences.isEmpty, "seed \(seed): \(differences.count) differences:\n\(differences.prefix(30).joined(separator: "\n"))\n\(world.logTail(10))")
    await upstream.close()
    await sandbox.end()
    if differences.isEmpty { try await world.remove() }
  }
}
