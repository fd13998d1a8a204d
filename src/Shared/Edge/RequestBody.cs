using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Edge;

/// <summary>Reads a request's body as a whole, once, so that it can be hashed, parsed and sent again.</summary>
public static class RequestBody
{
    /// <summary>How long a whole body may take to arrive, however steadily it trickles; a larger one has as long for each MiB.</summary>
    public static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Whether a body comes, for operations that do without: whatever its media type is, and also where its length is not known.
    /// </summary>
    public static bool IsSent(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Request.ContentLength is { } length
            ? length > 0
            : context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true;
    }

    /// <summary>
    /// The bytes, at most what <see cref="BodyLimit"/> allows; a second call and later readers of <see cref="HttpRequest.Body"/> get the
    /// same ones.
    /// </summary>
    /// <exception cref="ProblemException">413 <c>payload_too_large</c>.</exception>
    /// <exception cref="BadHttpRequestException">The body broke off, is too slow or its framing is wrong; the edge answers with a
    /// problem.</exception>
    public static async ValueTask<ReadOnlyMemory<byte>> Read(HttpContext context, CancellationToken cancellationToken)
    {
        var held = await Hold(context, cancellationToken);
        return held.Length <= Array.MaxLength
            ? await held.ToMemory(cancellationToken)
            : throw new ProblemException(new Problem(ProblemCodes.PayloadTooLarge));
    }

    /// <summary>The body without its being in memory if it is large.</summary>
    internal static async ValueTask<HeldBody> Hold(HttpContext context, CancellationToken cancellationToken)
    {
        var known = BffRequest.Of(context);
        if (known.Held is { } earlier)
        {
            return earlier;
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { MaxRequestBodySize: null, IsReadOnly: false } unlimited)
        {
            unlimited.MaxRequestBodySize = known.PlanBytes ?? BodyLimit.DefaultBytes; // Any size may be streamed, not held.
        }

        if (BodyLimit.IsExceeded(context))
        {
            throw new ProblemException(new Problem(ProblemCodes.PayloadTooLarge));
        }

        using var idle = new CancellationTokenSource(IdleTimeout, context.RequestServices.GetRequiredService<TimeProvider>());
        // A sender who breaks off ends the reading anyway, and is told so where it still listens; to be cancelled as well would be a
        // matter of chance.
        using var either = CancellationTokenSource.CreateLinkedTokenSource(
            cancellationToken == context.RequestAborted ? default : cancellationToken,
            idle.Token
        );
        try
        {
            var held = await HeldBody.Read(
                context.Request.Body,
                context.Request.ContentLength,
                () => idle.CancelAfter(IdleTimeout),
                either.Token
            );
            context.Response.RegisterForDispose(held);
            context.Request.Body = held.AsStream();
            known.Held = held;
            known.BodyTimestamp = context.RequestServices.GetRequiredService<TimeProvider>().GetTimestamp();
        }
        catch (OperationCanceledException) when (idle.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw known.Fail(TooSlow());
        }

        if (known.Place is { } place)
        {
            await place.StepIn(cancellationToken);
        }

        return known.Held;
    }

    /// <summary>What a sender is told that keeps others waiting: 408 <c>request_timeout</c>.</summary>
    internal static BadHttpRequestException TooSlow() => new("The body did not arrive in time.", StatusCodes.Status408RequestTimeout);
}
