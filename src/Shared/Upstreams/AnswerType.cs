using Bff.Requests;

namespace Bff.Upstreams;

/// <summary>Reads the <c>Content-Type</c> of a service's answer unparsed; parsing would cost every call three objects.</summary>
internal static class AnswerType
{
    /// <summary>
    /// Returns the header with its parameters; null without one. Several values, which are not allowed, are joined and so match none of the
    /// types below.
    /// </summary>
    public static string? Of(HttpContent content) =>
        content.Headers.NonValidated.TryGetValues("Content-Type", out var type) ? type.ToString() : null;

    /// <summary>See <see cref="MediaTypes.IsJson"/>.</summary>
    public static bool IsJson(HttpContent content) => MediaTypes.IsJson(Of(content));

    /// <summary>Whether the type is <c>application/grpc</c> or a variant of it.</summary>
    public static bool IsGrpc(HttpContent content) =>
        Of(content)?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>Whether the answer may last for hours: server-sent events or gRPC.</summary>
    public static bool IsLongLived(HttpContent content) =>
        Of(content) is { } type
        && (
            type.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase)
            || type.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)
        );
}
