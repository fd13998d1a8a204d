using System.Buffers.Binary;
using System.Globalization;

namespace Bff.TestKit.Telemetry;

/// <summary>
/// Converts an export like the collector's Prometheus exporter: dots become underscores, a unit in braces is left out, a counter gets
/// <c>_total</c>; <c>service.name</c> is the job and <c>service.instance.id</c> the instance.
/// </summary>
internal static class PrometheusPage
{
    /// <summary>Returns the lines of each sender.</summary>
    public static IEnumerable<(string Sender, string Lines)> Of(byte[] export) =>
        from resource in OtlpReader.Fields.Read(export).Messages(1)
        let attributes = OtlpReader.Attributes(resource.Message(1), 1)
        let sender = Labels([new("job", attributes["service.name"]), new("instance", attributes["service.instance.id"])])
        select (
            sender,
            string.Concat(resource.Messages(2).SelectMany(scope => scope.Messages(2)).SelectMany(metric => Lines(metric, sender)))
        );

    private static IEnumerable<string> Lines(OtlpReader.Fields metric, string sender)
    {
        var name =
            metric.Text(1).Replace('.', '_')
            + metric.Text(3) switch
            {
                "s" => "_seconds",
                "By" => "_bytes",
                _ => "",
            };
        var isCounter = metric.Has(7) && metric.Message(7).Number(3) == 1;
        foreach (var point in metric.Message(metric.Has(5) ? 5 : 7).Messages(1))
        {
            var value = point.Has(4) ? BitConverter.UInt64BitsToDouble(point.Number(4)) : (long)point.Number(6);
            yield return Line(isCounter ? name + "_total" : name, $"{sender},{Labels(OtlpReader.Attributes(point, 7))}", value);
        }

        foreach (var point in metric.Message(9).Messages(1))
        {
            var labels = $"{sender},{Labels(OtlpReader.Attributes(point, 9))}";
            var (bounds, below) = (Packed(point.Bytes(7)).Select(BitConverter.UInt64BitsToDouble).Append(double.PositiveInfinity), 0UL);
            foreach (var (bound, count) in bounds.Zip(Packed(point.Bytes(6))))
            {
                below += count;
                yield return Line(
                    name + "_bucket",
                    $"{labels},le=\"{(double.IsInfinity(bound) ? "+Inf" : bound.ToString(CultureInfo.InvariantCulture))}\"",
                    below
                );
            }

            yield return Line(name + "_count", labels, point.Number(4));
            yield return Line(name + "_sum", labels, BitConverter.UInt64BitsToDouble(point.Number(5)));
        }
    }

    private static string Line(string name, string labels, double value) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{name}{{{labels.TrimEnd(',').Replace(",,", ",", StringComparison.Ordinal)}}} {value}\n"
        );

    private static string Labels(IEnumerable<KeyValuePair<string, string>> labels) =>
        string.Join(
            ',',
            labels.Select(l =>
                $"{l.Key.Replace('.', '_')}=\"{l.Value.Replace("\\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\""
            )
        );

    private static IEnumerable<ulong> Packed(byte[] numbers) => numbers.Chunk(8).Select(n => BinaryPrimitives.ReadUInt64LittleEndian(n));
}
