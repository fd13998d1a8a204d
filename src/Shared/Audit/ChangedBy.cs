using System.Globalization;
using System.Text.Json;
using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Audit;

/// <summary>Who changes something, when, and with which request.</summary>
/// <param name="Actor">As in <see cref="AuditEntry"/>.</param>
/// <param name="RequestId">Of the request.</param>
/// <param name="At">The time.</param>
public sealed record ChangedBy(string Actor, string? RequestId, DateTimeOffset At)
{
    private static int _made;

    /// <summary>The caller of the request.</summary>
    public static ChangedBy Of(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var request = BffRequest.Of(context);
        return new(ActorOf(request.Caller), request.RequestId, context.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow());
    }

    /// <summary>An entry about one thing.</summary>
    /// <param name="action">Such as <c>key.created</c>.</param>
    /// <param name="tenant">Whose thing it is; null: no tenant's.</param>
    /// <param name="target">Its id.</param>
    /// <param name="before">What it was; see <see cref="AuditFacts"/>.</param>
    /// <param name="after">What it becomes.</param>
    public AuditEntry Entry(string action, string? tenant, string target, JsonElement? before = null, JsonElement? after = null) =>
        new(NewId(), At, Actor, tenant, action, AuditFacts.WithoutAddresses(target), before, after, RequestId);

    /// <summary>By the time, and within a millisecond in the order in which they are made here.</summary>
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
