using Bff.Requests;
using Bff.State;
using Microsoft.AspNetCore.Http;

namespace Bff.Callers.Life;

/// <summary>What is known of the end of a credential.</summary>
/// <param name="EndsAt">When the credential ends at the latest; in the past when it has ended.</param>
/// <param name="LookAt">When to ask the store again.</param>
internal readonly record struct CredentialState(DateTimeOffset EndsAt, DateTimeOffset LookAt)
{
    /// <summary>The credential has ended.</summary>
    public static readonly CredentialState Over;
}

/// <summary>A kind of credential whose store can end it before its expiry.</summary>
internal interface ICredentialLife
{
    /// <summary>The kind of caller that has this kind of credential.</summary>
    CallerKind Kind { get; }

    /// <summary>Returns the name of the request's credential within this kind, and what is known of its end.</summary>
    (string Name, CredentialState State) Of(HttpContext context, Caller caller);

    /// <summary>Registers a callback for changes of a credential on any instance. Its argument is the name; null for any.</summary>
    void OnChanged(Action<string?> changed);

    /// <summary>Asks the store. This does not extend the credential.</summary>
    /// <exception cref="StoreUnavailableException">The store is unavailable, so nothing is known.</exception>
    ValueTask<CredentialState> Look(Caller caller, string name, CancellationToken cancellation);
}
