using Bff.Requests;

namespace Bff.Upstreams;

/// <summary>The <c>Content-Type</c> of a service's answer, read as it came: parsing it would cost every call three objects.</summary>
internal static class AnswerType
{
    /// <summary>
    /// With its parameters; null when there is none. Several, which is not allowed, are joined and thereby none of the types below.
    /// </summary>
    public static string? Of(HttpContent content) =>
        content.Headers.NonValidated.TryGetValues("Content-Type", out var type) ? type.ToString() : null;

    /// <summary>See <see cref="MediaTypes.IsJson"/>.</summary>
    public static bool IsJson(HttpContent content) => MediaTypes.IsJson(Of(content));

    /// <summary><c>application/grpc</c> and its kin.</summary>
    public static bool IsGrpc(HttpContent content) =>
        Of(content)?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>Whether it may last for hours: server-sent events, calls.</summary>
    public static bool IsLongLived(HttpContent content) =>
        Of(content) is { } type
        && (
            type.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase)
            || type.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)
        );
}
