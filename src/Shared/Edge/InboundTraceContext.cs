using System.Diagnostics;
using Microsoft.Extensions.Options;

namespace Bff.Edge;

/// <summary>
/// Reads the trace context of incoming requests (W3C Trace Context 1, section 3.2). An invalid or repeated <c>traceparent</c> starts a new
/// trace. An untrusted client's trace and span ids are kept, but not its sampled flag, <c>tracestate</c> and <c>baggage</c>.
/// </summary>
internal sealed class InboundTraceContext(IOptions<EdgeOptions> options) : DistributedContextPropagator
{
    private const int Length = 55; // 00-<32>-<16>-<2>
    private const int MaxTraceState = 512;
    private readonly DistributedContextPropagator _w3c = CreateW3CPropagator();
    private readonly bool _trusted = options.Value.TrustTraceContext;

    public override IReadOnlyCollection<string> Fields => _w3c.Fields;

    public override void Inject(Activity? activity, object? carrier, PropagatorSetterCallback? setter) =>
        _w3c.Inject(activity, carrier, setter);

    public override void ExtractTraceIdAndState(
        object? carrier,
        PropagatorGetterCallback? getter,
        out string? traceId,
        out string? traceState
    )
    {
        traceId = traceState = null;
        if (getter is null)
        {
            return;
        }

        getter(carrier, "traceparent", out var parent, out _);
        if (parent is null || !IsValid(parent))
        {
            return;
        }

        traceId = _trusted
            ? parent is ['0', '0', ..]
                ? parent
                : string.Concat("00", parent.AsSpan(2, Length - 2))
            : parent is ['0', '0', .., '0', '0']
                ? parent
                : string.Concat("00", parent.AsSpan(2, Length - 4), "00");
        if (_trusted)
        {
            getter(carrier, "tracestate", out traceState, out _);
            if (traceState is { Length: > MaxTraceState } || traceState.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            {
                traceState = null;
            }
        }
    }

    public override IEnumerable<KeyValuePair<string, string?>>? ExtractBaggage(object? carrier, PropagatorGetterCallback? getter) =>
        _trusted ? _w3c.ExtractBaggage(carrier, getter) : null;

    /// <summary>
    /// Whether it has lower-case hex, the known length, no version ff and no zero ids. A later version may have more after another dash.
    /// </summary>
    internal static bool IsValid(ReadOnlySpan<char> parent) =>
        parent.Length >= Length
        && parent[2] == '-'
        && parent[35] == '-'
        && parent[52] == '-'
        && IsHex(parent[..2])
        && IsHex(parent[3..35])
        && IsHex(parent[36..52])
        && IsHex(parent[53..55])
        && parent[..2] is not "ff"
        && parent[3..35].ContainsAnyExcept('0')
        && parent[36..52].ContainsAnyExcept('0')
        && (parent.Length == Length || (parent[..2] is not "00" && parent[Length] == '-'));

    private static bool IsHex(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiHexDigitLower(c))
            {
                return false;
            }
        }

        return true;
    }
}
