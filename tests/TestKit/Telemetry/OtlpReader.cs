using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Google.Protobuf;

namespace Bff.TestKit.Telemetry;

/// <summary>An exported span. Ids are lower-case hex; <see cref="ParentId"/> is empty for a root.</summary>
public sealed record CollectedSpan(
    string TraceId,
    string SpanId,
    string ParentId,
    string Name,
    SpanKind Kind,
    string Source,
    ulong Start,
    ulong End,
    bool Failed,
    IReadOnlyDictionary<string, string> Tags
);

/// <summary>Kinds of spans with their numbers in OTLP.</summary>
public enum SpanKind
{
    Unspecified = 0,
    Internal = 1,
    Server = 2,
    Client = 3,
    Producer = 4,
    Consumer = 5,
}

/// <summary>An exported metric, with a point for each set of attributes.</summary>
public sealed record CollectedMetric(
    string Name,
    string Unit,
    string Kind,
    string Meter,
    IReadOnlyList<IReadOnlyDictionary<string, string>> Points
);

/// <summary>An exported log entry.</summary>
public sealed record CollectedLog(string TraceId, string Category, string Severity, string Text);

/// <summary>Reads opentelemetry.proto.collector.{trace,metrics,logs}.v1 by field number, as far as tests need it.</summary>
internal static class OtlpReader
{
    public static IEnumerable<CollectedSpan> Spans(byte[] export) =>
        from resource in Fields.Read(export).Messages(1)
        from scope in resource.Messages(2)
        let source = scope.Message(1).Text(1)
        from span in scope.Messages(2)
        select new CollectedSpan(
            Hex(span.Bytes(1)),
            Hex(span.Bytes(2)),
            Hex(span.Bytes(4)),
            span.Text(5),
            (SpanKind)span.Number(6),
            source,
            span.Number(7),
            span.Number(8),
            span.Message(15).Number(3) == 2,
            Attributes(span, 9)
        );

    public static IEnumerable<CollectedMetric> Metrics(byte[] export) =>
        from resource in Fields.Read(export).Messages(1)
        from scope in resource.Messages(2)
        let meter = scope.Message(1).Text(1)
        from metric in scope.Messages(2)
        let kind = metric.Has(5) ? (Name: "gauge", Field: 5, Attributes: 7)
        : metric.Has(7) ? (Name: "sum", Field: 7, Attributes: 7)
        : (Name: "histogram", Field: 9, Attributes: 9)
        select new CollectedMetric(
            metric.Text(1),
            metric.Text(3),
            kind.Name,
            meter,
            [.. metric.Message(kind.Field).Messages(1).Select(p => Attributes(p, kind.Attributes))]
        );

    public static IEnumerable<CollectedLog> Logs(byte[] export) =>
        from resource in Fields.Read(export).Messages(1)
        from scope in resource.Messages(2)
        let category = scope.Message(1).Text(1)
        from log in scope.Messages(2)
        select new CollectedLog(Hex(log.Bytes(9)), category, log.Text(3), Value(log.Message(5)));

    public static Dictionary<string, string> Attributes(Fields message, int field) =>
        message.Messages(field).ToDictionary(a => a.Text(1), a => Value(a.Message(2)), StringComparer.Ordinal);

    private static string Value(Fields any) =>
        any.Has(1) ? any.Text(1)
        : any.Has(2) ? (any.Number(2) == 1 ? "true" : "false")
        : any.Has(3) ? any.Number(3).ToString(CultureInfo.InvariantCulture)
        : any.Has(4) ? BitConverter.UInt64BitsToDouble(any.Number(4)).ToString(CultureInfo.InvariantCulture)
        : string.Join(',', any.Message(5).Messages(1).Select(Value));

    private static string Hex(byte[] id) => Convert.ToHexStringLower(id);

    /// <summary>One message, with its fields by number.</summary>
    internal sealed class Fields
    {
        private readonly Dictionary<int, List<object>> _values = [];

        public static Fields Read(byte[] message)
        {
            var fields = new Fields();
            using var input = new CodedInputStream(message);
            while (input.ReadTag() is var tag && tag != 0)
            {
                object value = WireFormat.GetTagWireType(tag) switch
                {
                    WireFormat.WireType.Varint => input.ReadUInt64(),
                    WireFormat.WireType.Fixed64 => input.ReadFixed64(),
                    WireFormat.WireType.Fixed32 => (ulong)input.ReadFixed32(),
                    _ => input.ReadBytes().ToByteArray(),
                };
                (CollectionsMarshal.GetValueRefOrAddDefault(fields._values, WireFormat.GetTagFieldNumber(tag), out _) ??= []).Add(value);
            }

            return fields;
        }

        public bool Has(int field) => _values.ContainsKey(field);

        public byte[] Bytes(int field) => _values.TryGetValue(field, out var values) ? (byte[])values[^1] : [];

        public string Text(int field) => Encoding.UTF8.GetString(Bytes(field));

        public ulong Number(int field) => _values.TryGetValue(field, out var values) ? (ulong)values[^1] : 0;

        public Fields Message(int field) => Read(Bytes(field));

        public IEnumerable<Fields> Messages(int field) =>
            _values.TryGetValue(field, out var values) ? values.Select(v => Read((byte[])v)) : [];
    }
}
