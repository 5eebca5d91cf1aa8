import ClientRuntime
import Domain
import Foundation
import Synchronization
import Testing

@testable import Operations
@testable import order_worker

@Suite struct HealthTests {
  private static func registry(unused: Set<DependencyName> = [.payment, .inventory, .keys]) -> HealthRegistry {
    HealthRegistry(unused: unused, now: { Timestamp(microseconds: 0) })
  }

  @Test func nothingIsReadyBeforeItWasTried() {
    let report = Self.registry().report
    #expect(report.status == .unready)
    #expect(report.dependencies.map(\.name) == [.rabbitmq, .postgres, .redis, .payment, .inventory, .keys])
  }

  @Test(arguments: [
    (DependencyName.rabbitmq, false), (.postgres, false), (.redis, true), (.payment, true), (.inventory, true), (.keys, false),
  ])
  func onlyBrokerDatabaseAndKeysMakeItUnready(down: DependencyName, isReady: Bool) {
    let registry = Self.registry()
    for name in DependencyName.allCases { registry.set(name, name == down ? .down : .up) }
    #expect(registry.report.isReady == isReady)
  }

  @Test func aDegradedDependencyIsGoodEnough() {
    let registry = Self.registry()
    registry.set(.rabbitmq, .up)
    registry.set(.postgres, .degraded, detail: "slow")
    #expect(registry.report.isReady)
  }

  @Test func aStoppingWorkerIsNotReady() {
    let registry = Self.registry()
    for name in DependencyName.allCases { registry.set(name, .up) }
    registry.setStopping()
    #expect(registry.report.status == .stopping)
    #expect(!registry.report.isReady)
  }

  @Test func sinceMovesOnlyWithTheState() {
    let clock = Mutex<Int64>(0)
    let registry = HealthRegistry(now: {
      clock.withLock {
        $0 += 1; return Timestamp(microseconds: $0)
      }
    })
    registry.set(.redis, .up, detail: "a")
    let first = registry.report.dependencies[2].since
    registry.set(.redis, .up, detail: "b")
    #expect(registry.report.dependencies[2].since == first)
    #expect(registry.report.dependencies[2].detail == "b")
    registry.set(.redis, .down)
    #expect(registry.report.dependencies[2].since > first)
  }

  @Test func changesOfStateAreTold() {
    let told = Mutex<[DependencyState]>([])
    let registry = HealthRegistry(onChange: { change in told.withLock { $0.append(change.state) } })
    for state: DependencyState in [.down, .up, .up, .down] { registry.set(.postgres, state) }
    #expect(told.withLock { $0 } == [.up, .down])
  }

  @Test func aConnectionsStateBecomesADependencys() {
    let registry = Self.registry()
    registry.set("redis", .connected(server: "Redis 7"))
    #expect(registry.report.dependencies[2] == DependencyHealth(name: .redis, state: .up, since: Timestamp(microseconds: 0), detail: "Redis 7", version: "7"))
    registry.set("redis", .disconnected(reason: "gone"))
    #expect(registry.report.dependencies[2].state == .down)
    #expect(registry.report.dependencies[2].detail == "gone")
  }

  @Test func theWorstOfSeveralConnectionsCounts() {
    let registry = Self.registry()
    registry.set("postgres/commands", .connected(server: "PostgreSQL 15"))
    registry.set("postgres/outbox", .disconnected(reason: "too many clients"))
    registry.set("postgres/commands", .connected(server: "PostgreSQL 15"))
    #expect(registry.report.dependencies[1].state == .down)
    #expect(registry.report.dependencies[1].detail == "too many clients")
    registry.set("postgres/outbox", .connected(server: "PostgreSQL 15"))
    #expect(registry.report.dependencies[1].state == .up)
  }

  @Test func connectionsToSeveralHostsAreAllTold() {
    let registry = Self.registry()
    registry.set("rabbitmq/commands", .connected(server: "RabbitMQ 4 at b:5672"))
    registry.set("rabbitmq/replies", .connected(server: "RabbitMQ 4 at a:5672"))
    registry.set("rabbitmq/events", .connected(server: "RabbitMQ 4 at b:5672"))
    #expect(registry.report.dependencies[0].detail == "RabbitMQ 4 at a:5672; RabbitMQ 4 at b:5672")
    registry.set("rabbitmq/events", .disconnected(reason: "gone"))
    #expect(registry.report.dependencies[0].detail == "gone")
  }

  @Test func aConnectionSpeaksAfterTheLookBeforeTheStart() {
    let registry = Self.registry()
    registry.set(.rabbitmq, .down, detail: "queue orders.commands is missing")
    registry.set("rabbitmq/commands", .connected(server: "RabbitMQ 4"))
    #expect(registry.report.dependencies[0].state == .up)
  }

  @Test func connectingAgainKeepsTheReason() {
    let registry = Self.registry()
    registry.set("redis", .disconnected(reason: "refused"))
    registry.set("redis", .connecting)
    #expect(registry.report.dependencies[2].detail == "refused")
  }

  @Test func theAnswerIsTheJSONOfTheContract() throws {
    let registry = Self.registry()
    registry.set(.rabbitmq, .up, detail: "RabbitMQ \"3\"")
    let object = try #require(try JSONSerialization.jsonObject(with: Data(registry.report.json)) as? [String: Any])
    #expect(object["status"] as? String == "unready")
    let dependencies = try #require(object["dependencies"] as? [[String: Any]])
    #expect(dependencies.map { $0["name"] as? String } == ["rabbitmq", "postgres", "redis", "payment", "inventory", "keys"])
    #expect(dependencies.map { $0["state"] as? String } == ["up", "down", "down", "unused", "unused", "unused"])
    #expect(dependencies[0]["detail"] as? String == "RabbitMQ \"3\"")
    #expect(dependencies[0]["since"] as? String == "1970-01-01T00:00:00.000000Z")
  }
}
