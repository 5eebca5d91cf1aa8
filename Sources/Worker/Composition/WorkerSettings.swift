import Application
import Domain
import PostgresClient
import RabbitMQClient
import RedisClient

/// What the composition needs to know, read and checked.
struct WorkerSettings: Sendable {
  var amqpURL: String
  var databaseURL: String
  var redisURL: String?
  var prefix: String
  var schema: String
  var redisPrefix: String
  var prefetch: UInt16
  var batchMax: Int
  var reservationTTL: Duration
  var cacheTTL: Duration
  var retryRungs: [RetryRung]
  var defaultCurrency: Currency
  var replyToAllow: String
  var roles: Set<WorkerRole>
  var paymentProvider: PaymentProviderKind
  var paymentURL: String?
  var paymentToken: String?
  var paymentTimeout: Duration
  var paymentGiveUp: Duration
  var deadLetterKeep: Int
  var otlpEndpoint: String?
  var otlpHeaders: String?
  var traceShare: Double
}

/// A part of the worker's work, which `--roles` can leave to others.
enum WorkerRole: String, Sendable, CaseIterable {
  case commands, queries, payments, outbox, housekeeping
  case deadLetters = "dead-letters"
}
