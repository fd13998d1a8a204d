namespace PartnerBff.Portal;

/// <summary>Redirects to a page after a form (RFC 9110 section 15.4.4), so that reloading the page repeats nothing.</summary>
/// <param name="path">A path of this host.</param>
internal sealed class SeeOther(string path) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
        httpContext.Response.Headers.Location = path;
        return Task.CompletedTask;
    }
}
