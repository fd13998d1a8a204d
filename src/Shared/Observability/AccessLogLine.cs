using System.Net;
using System.Text.Json;

namespace Bff.Observability;

/// <summary>One line of the access log. Never contains a token, key, cookie, query or body.</summary>
internal readonly record struct AccessLogLine(
    DateTimeOffset Timestamp,
    string Method,
    string? Route,
    int Status,
    int? GrpcStatus,
    double DurationMs,
    string RequestId,
    string? TraceId,
    string? Caller,
    string? Tenant,
    IPAddress? Client,
    string? UserAgent,
    IReadOnlyCollection<KeyValuePair<string, string>> Degraded
)
{
    private const int MaxUserAgent = 256;

    /// <summary>Writes the line as one JSON object. Values that clients choose are escaped.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("timestamp"u8, Timestamp);
        json.WriteString("method"u8, Method);
        json.WriteString("route"u8, Route);
        json.WriteNumber("status"u8, Status);
        if (GrpcStatus is { } outcome)
        {
            json.WriteNumber("grpcStatus"u8, outcome);
        }

        json.WriteNumber("durationMs"u8, Math.Round(DurationMs, 3));
        json.WriteString("requestId"u8, RequestId);
        json.WriteString("traceId"u8, TraceId);
        json.WriteString("caller"u8, Caller);
        json.WriteString("tenant"u8, Tenant);
        WriteClient(json);
        json.WriteString("userAgent"u8, UserAgent is { Length: > MaxUserAgent } ? UserAgent.AsSpan(0, MaxUserAgent) : UserAgent);
        if (Degraded.Count > 0)
        {
            json.WriteStartObject("degraded"u8);
            foreach (var (part, status) in Degraded)
            {
                json.WriteString(part, status);
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private void WriteClient(Utf8JsonWriter json)
    {
        if (Client is null)
        {
            json.WriteNull("client"u8);
            return;
        }

        Span<byte> text = stackalloc byte[65]; // Length of the longest IPv6 address, with its scope.
        Client.TryFormat(text, out var length);
        json.WriteString("client"u8, text[..length]);
    }
}
