using Bff.Caching;
using Bff.Requests;
using Bff.Upstreams;

namespace Bff.Composition;

/// <summary>
/// A part that changes nothing: it may be kept, asked of another service, replaced, and is cancelled when it is no longer needed.
/// </summary>
public class ReadPart<T> : Part<T>
{
    internal ReadPart(Composer composer, string name, bool isRequired, UpstreamCall<T> call)
        : base(composer, name, isRequired, call) { }

    internal ReadPart(Composer composer, string name, bool isRequired, IReadOnlyCollection<Part> after, Func<UpstreamCall<T>?> later)
        : base(composer, name, isRequired, after, later) { }

    /// <summary>
    /// How long it may take, at most what is left of the request's deadline. Default 1 s;
    /// <c>Composition:&lt;endpoint&gt;:&lt;part&gt;:Timeout</c> overrides.
    /// </summary>
    public ReadPart<T> Timeout(TimeSpan atMost)
    {
        Allowed = atMost;
        return this;
    }

    /// <summary>Keeps the value and serves it again, to whom <paramref name="scope"/> says.</summary>
    /// <param name="scope">Who may see it.</param>
    /// <param name="key">Names the value within its scope, such as <c>pricing:p-1</c>; also its tag for invalidation, beside
    /// <paramref name="tags"/>.</param>
    /// <param name="fresh">Served without asking; <c>Composition:…:Fresh</c> overrides.</param>
    /// <param name="stale">How long after that it stands in for a failure (RFC 5861); <c>Composition:…:Stale</c> overrides.</param>
    /// <param name="tags">What else it depends on.</param>
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
                TypeNow! // A call that depends on another part's value says it later.
            )
            {
                Variant = Composer.VariantFor(_clientHeaders),
            }
        );
        return this;
    }

    /// <summary>Runs after another part has a value, and only then; said again, after that one too.</summary>
    /// <param name="part">What it depends on. Where that failed this part fails as well; where there was nothing to be had, or it was not
    /// wanted, this part is not wanted.</param>
    /// <param name="when">Decides, with that value at hand, whether the part is wanted; said again, both must say so.</param>
    public ReadPart<T> After(Part part, Func<bool>? when = null)
    {
        NeedsToo(part, when);
        return this;
    }

    /// <summary>Leaves the part out unless the condition holds, whatever else is said of it: <c>skipped</c>.</summary>
    public ReadPart<T> OnlyIf(bool wanted)
    {
        IsWantedIf(wanted);
        return this;
    }

    /// <summary>
    /// A page that begins at a cursor: where the service does not take it any more, the client is told so (400 <c>invalid_cursor</c>) and
    /// can begin anew.
    /// </summary>
    /// <param name="cursor">The service's; null at the beginning of the list.</param>
    public ReadPart<T> At(string? cursor)
    {
        _cursor = cursor;
        return this;
    }

    /// <summary>
    /// For a required part: failures that mean something of their own to the client, such as a token that is too old; null for the others.
    /// </summary>
    public ReadPart<T> Refused(Func<UpstreamAnswer<T>, Problem?> problem)
    {
        IsRefusedAs(problem);
        return this;
    }

    /// <summary>
    /// Another call that is made where the first one fails and nothing kept stands in: <c>fallback</c>. The first has half of the part's
    /// time then. Where the service says that there is nothing, the other service is not asked; what the other one answers is not kept.
    /// </summary>
    public ReadPart<T> Otherwise(UpstreamCall<T> call)
    {
        _otherwise = () => call;
        return this;
    }

    /// <summary>The same with a call that depends on another part's value; null where there is none to make.</summary>
    public ReadPart<T> Otherwise(Func<UpstreamCall<T>?> call)
    {
        _otherwise = call;
        return this;
    }

    /// <summary>Stands in when the part has no data: <c>fallback</c>.</summary>
    public ReadPart<T> Fallback(Func<T?> standIn)
    {
        _standIn = standIn;
        return this;
    }
}
