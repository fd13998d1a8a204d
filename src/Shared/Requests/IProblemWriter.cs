using Microsoft.AspNetCore.Http;

namespace Bff.Requests;

/// <summary>Writes a <see cref="Problem"/> in the form that the client understands.</summary>
internal interface IProblemWriter
{
    /// <summary>Answers with the problem. Aborts the connection when the answer has started.</summary>
    Task Write(HttpContext context, Problem problem);
}
