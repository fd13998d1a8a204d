using Bff.Caching;
using Bff.Requests;
using Bff.Upstreams;

namespace Bff.Composition;

/// <summary>
/// A part that changes nothing. It may be cached, requested from another service or replaced, and is cancelled when it is no longer needed.
/// </summary>
public class ReadPart<T> : Part<T>
{
    internal ReadPart(Composer composer, string name, bool isRequired, UpstreamCall<T> call)
        : base(composer, name, isRequired, call) { }

    internal ReadPart(Composer composer, string name, bool isRequired, IReadOnlyCollection<Part> after, Func<UpstreamCall<T>?> later)
        : base(composer, name, isRequired, after, later) { }

    /// <summary>
    /// Sets the timeout, at most what is left of the request's deadline. Default 1 s;
    /// <c>Composition:&lt;endpoint&gt;:&lt;part&gt;:Timeout</c> overrides it.
    /// </summary>
    public ReadPart<T> Timeout(TimeSpan atMost)
    {
        Allowed = atMost;
        return this;
    }

    /// <summary>Caches the value for the callers in <paramref name="scope"/>.</summary>
    /// <param name="scope">Who may see the value.</param>
    /// <param name="key">Names the value within its scope, such as <c>pricing:p-1</c>; also its tag for invalidation, beside
    /// <paramref name="tags"/>.</param>
    /// <param name="fresh">How long the value is served without a call; <c>Composition:…:Fresh</c> overrides it.</param>
    /// <param name="stale">How long after that it stands in for a failure (RFC 5861); <c>Composition:…:Stale</c> overrides it.</param>
    /// <param name="tags">Further tags for invalidation.</param>
    public ReadPart<T> Cached(CacheScope scope, string key, TimeSpan fresh, TimeSpan stale, params IReadOnlyList<string> tags)
    {
        scope = Composer.ScopeFor(scope);
        _clientHeaders = Composer.ClientHeadersFor(scope);
        _cache = new(
            new FragmentRequest<T>(
                key,
                scope,
                Composer.Request.Caller,
                fresh,
                stale,
                tags.Count == 0 ? [key] : [key, .. tags],
                TypeNow! // The metadata of a call that depends on another part's value is set later.
            )
            {
                Variant = Composer.VariantFor(_clientHeaders),
            }
        );
        return this;
    }

    /// <summary>Runs this part after another one, and only if that has a value. Repeated calls add dependencies.</summary>
    /// <param name="part">The dependency. If it failed, this part fails as well; if it has no data or was skipped, this part is
    /// skipped.</param>
    /// <param name="when">Decides whether the part is wanted, once the dependency has its value; all conditions must hold.</param>
    public ReadPart<T> After(Part part, Func<bool>? when = null)
    {
        NeedsToo(part, when);
        return this;
    }

    /// <summary>Skips the part unless the condition holds; status <c>skipped</c>.</summary>
    public ReadPart<T> OnlyIf(bool wanted)
    {
        IsWantedIf(wanted);
        return this;
    }

    /// <summary>
    /// Requests a page that starts at a cursor. If the service no longer accepts the cursor, the client gets 400 <c>invalid_cursor</c> and
    /// can start again.
    /// </summary>
    /// <param name="cursor">The service's cursor; null for the start of the list.</param>
    public ReadPart<T> At(string? cursor)
    {
        _cursor = cursor;
        return this;
    }

    /// <summary>
    /// Maps failures of a required part to problems of their own, such as a token that is too old; null keeps the default problem.
    /// </summary>
    public ReadPart<T> Refused(Func<UpstreamAnswer<T>, Problem?> problem)
    {
        IsRefusedAs(problem);
        return this;
    }

    /// <summary>
    /// Sets an alternative call for when the first one fails and no stale value stands in; status <c>fallback</c>. The first call then has
    /// half of the part's time. The alternative is not called when the service answers that there is nothing, and its answer is not cached.
    /// </summary>
    public ReadPart<T> Otherwise(UpstreamCall<T> call)
    {
        _otherwise = () => call;
        return this;
    }

    /// <summary>Sets an alternative call that depends on another part's value; null makes none.</summary>
    public ReadPart<T> Otherwise(Func<UpstreamCall<T>?> call)
    {
        _otherwise = call;
        return this;
    }

    /// <summary>Sets a fallback for when the part has no data; status <c>fallback</c>.</summary>
    public ReadPart<T> Fallback(Func<T?> standIn)
    {
        _standIn = standIn;
        return this;
    }
}
