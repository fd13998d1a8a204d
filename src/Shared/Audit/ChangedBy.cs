using System.Globalization;
using System.Text.Json;
using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Audit;

/// <summary>Who makes a change, when, and with which request.</summary>
/// <param name="Actor">The actor, as in <see cref="AuditEntry"/>.</param>
/// <param name="RequestId">The id of the request.</param>
/// <param name="At">The time of the request.</param>
public sealed record ChangedBy(string Actor, string? RequestId, DateTimeOffset At)
{
    private static int _made;

    /// <summary>Creates it for the caller of the request.</summary>
    public static ChangedBy Of(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var request = BffRequest.Of(context);
        return new(ActorOf(request.Caller), request.RequestId, context.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow());
    }

    /// <summary>Creates an entry about one object.</summary>
    /// <param name="action">The kind of change, such as <c>key.created</c>.</param>
    /// <param name="tenant">The tenant that owns the object; null for none.</param>
    /// <param name="target">The object's id.</param>
    /// <param name="before">The object's facts before the change; see <see cref="AuditFacts"/>.</param>
    /// <param name="after">The object's facts after the change.</param>
    public AuditEntry Entry(string action, string? tenant, string target, JsonElement? before = null, JsonElement? after = null) =>
        new(NewId(), At, Actor, tenant, action, AuditFacts.WithoutAddresses(target), before, after, RequestId);

    /// <summary>Returns an id that sorts by time and, within a millisecond, by the order of creation in this process.</summary>
    private string NewId() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"aud_{At.ToUnixTimeMilliseconds():x12}{(uint)Interlocked.Increment(ref _made):x8}{Random.Shared.NextInt64(1L << 48):x12}"
        );

    private static string ActorOf(Caller caller) =>
        caller switch
        {
            { KeyId: { } key } => "key:" + key,
            { IsApplication: true } => AuditFacts.WithoutAddresses(caller.Subject),
            { IsAuthenticated: false } => "nobody",
            _ => "user:" + AuditFacts.WithoutAddresses(caller.Subject),
        };
}
